//! Failures on the command line in the user's language: messages for people on standard error, English in
//! the fields of JSON, and exit codes.

use std::{fs, path::Path, process::Output};

#[cfg(unix)]
use crate::support::as_another_user;
use crate::support::{command, json_lines, partita, speak, stderr, stdout, tiny_home, write_song};

fn in_portuguese(home: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = command(home, arguments);
    speak(&mut command, home, "pt_BR.UTF-8").current_dir(folder).output().unwrap()
}

/// The message of a command that fails with this exit code.
fn message(home: &Path, folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = in_portuguese(home, folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

#[test]
fn problems_are_in_the_users_language() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("song.mp3", "a shopping list");
    write("none/notes.txt", "notes");
    write("files.csv", "path,format\nsong.mp3,wma\n");
    for (arguments, code, expected) in [
        (
            &["separate", "song.mp3"][..],
            1,
            "partita: song.mp3: isto não é um arquivo de áudio, é texto\n",
        ),
        (&["add", "song.mp3"], 1, "partita: song.mp3: isto não é um arquivo de áudio, é texto\n"),
        (
            &["separate", "none"],
            1,
            "partita: none: não há música nesta pasta; itens ignorados: 1 (sem extensão de áudio: 1)\n",
        ),
        (&["separate", "gone.flac"], 1, "partita: gone.flac: não existe (erro "),
        (&["add", "gone.flac"], 1, "gone.flac: não existe (erro "),
        (&["progress", "x"], 1, "partita: não há música \"x\": a biblioteca está vazia"),
        (&["process", "x"], 1, "partita: não há música \"x\": a biblioteca está vazia"),
        (&["export", "x"], 1, "partita: não há música \"x\": a biblioteca está vazia"),
        (&["job", "7"], 1, "partita: não há tarefa 7; não há nenhuma\n"),
        (&["separate", "song.mp3", "--model", "y"], 1, "partita: modelo desconhecido: y; "),
        (&["separate", "song.mp3", "--model", "htdemucs_6s"], 1, "não está instalado"),
        (&["model", "import", "song.mp3"], 1, "não é um arquivo de modelo"),
        (&["model", "path", "y"], 2, "partita: modelo desconhecido: y; "),
        (&["separate", "--manifest", "files.csv"], 2, "partita: linha 2: format: esperado um"),
        (&["separate", "--manifest", "gone.csv"], 2, "não foi possível ler gone.csv: não existe"),
        (&["--memory", "1M", "separate", "song.mp3"], 1, "MB de memória; o limite é 1 MB"),
    ] {
        let text = message(home.path(), folder.path(), arguments, code);
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("os error"), "{arguments:?}: {text}");
    }
}

#[test]
fn the_name_of_a_song_is_printed_once() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    let once = |arguments: &[&str], name: &str| {
        let output = command(home.path(), arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(stderr(&output).matches(name).count(), 1, "{}", stderr(&output));
    };
    once(&["separate", "gone.flac"], "gone.flac");
    once(&["add", "gone.flac"], "gone.flac");
    once(&["process", "No such song"], "No such song");
    once(&["export", "No such song"], "No such song");
}

#[test]
fn fields_of_json_are_english_and_messages_are_not() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("song.mp3"), "a shopping list").unwrap();
    for (arguments, english, portuguese) in [
        (&["separate", "song.mp3"][..], "this is not an audio file but text", "isto não é"),
        (&["process", "x"], "the library has no song \"x\"", "não há música \"x\""),
        (&["separate", "a", "--model", "htdemucs_6s"], "is not installed", "não está instalado"),
        (&["separate", "a", "--limiter"], "--mix", "--mix"),
    ] {
        let arguments = [&["--json"], arguments].concat();
        let output = in_portuguese(home.path(), folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let fields = json_lines(&output);
        let error = fields[0]["error"].as_str().unwrap();
        assert!(error.contains(english), "{error}");
        assert!(error.is_ascii(), "not in English: {error}");
        assert!(stderr(&output).contains(portuguese), "{}", stderr(&output));
    }
    assert!(json_lines(&partita(home.path(), &["--json", "list"])).is_empty());
}

#[test]
fn folders_that_cannot_be_written_are_named_with_a_remedy() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    write_song(&folder.path().join("song.wav"), 8_820, 44_100, 1);
    fs::write(folder.path().join("file"), "not a folder").unwrap();
    let arguments = ["separate", "song.wav", "--out", "file/out"];
    let text = message(home.path(), folder.path(), &arguments, 1);
    assert!(text.contains("não foi possível gravar file/out"), "{text}");
    assert!(text.contains("não é uma pasta (erro ") && text.contains("escolha outra pasta"));
    // There, the language is a setting, which this data folder cannot have.
    if cfg!(windows) {
        return;
    }
    let nowhere = folder.path().join("file/data");
    let text = message(&nowhere, folder.path(), &["list"], 1);
    let start = format!("partita: não é possível gravar na pasta de dados {}", nowhere.display());
    assert!(text.contains(&start) && text.contains("PARTITA_HOME"), "{text}");
    // A start of the window prints the same message. Without a desktop, it shows no dialog.
    let mut window = command(&nowhere, &[]);
    window.env("LC_ALL", "pt_BR.UTF-8").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let output = window.output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).contains(&start)), (Some(1), true));
}

#[cfg(unix)] // Windows has no permission bits
#[test]
fn a_forbidden_output_folder_is_named_instead_of_a_temporary_one() {
    use std::os::unix::fs::PermissionsExt as _;

    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    let (song, out) = (folder.path().join("song.wav"), folder.path().join("out"));
    write_song(&song, 8_820, 44_100, 1);
    fs::create_dir(&out).unwrap();
    let arguments = ["separate", song.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let mut command = command(home.path(), &arguments);
    as_another_user(&mut command, &[home.path(), folder.path()]);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).unwrap();
    let output = command.env("LC_ALL", "pt_BR.UTF-8").output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("permissão negada (erro 13 do sistema); escolha outra pasta"), "{text}");
    assert!(text.contains(out.to_str().unwrap()) && !text.contains(".partita-"), "{text}");
}

#[test]
fn a_rebuilt_library_and_invalid_settings_are_messages() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    let song = folder.path().join("song.wav");
    write_song(&song, 8_820, 44_100, 1);
    assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    let damage = || fs::write(home.path().join("library.db"), "not a database, but text").unwrap();
    for (locale, expected) in [
        ("C", "; 1 song was restored with its stems, without its jobs\n"),
        ("pt_BR.UTF-8", "; 1 música foi recuperada com seus stems, sem suas tarefas\n"),
    ] {
        damage();
        let mut command = command(home.path(), &["list"]);
        let output = speak(&mut command, home.path(), locale).output().unwrap();
        let text = stderr(&output);
        assert!(output.status.success() && stdout(&output).contains("song"), "{text}");
        assert!(text.starts_with("partita: ") && text.ends_with(expected), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    damage();
    fs::write(home.path().join("settings.toml"), "language = \n").unwrap();
    let output = command(home.path(), &["add", song.to_str().unwrap()]).output().unwrap();
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("partita: the settings are invalid ("), "{text}");
    assert!(
        text.contains("\npartita: the library was damaged") && !text.contains("WARN"),
        "{text}"
    );
}

#[test]
fn damaged_weights_separate_nothing() {
    let (home, folder) = (tiny_home(), tempfile::tempdir().unwrap());
    let network = Path::new(env!("CARGO_MANIFEST_DIR"));
    let network = network.join("tests/golden/general.weights.safetensors");
    let import = ["model", "import", network.to_str().unwrap(), "--name", "mine"];
    let output = partita(home.path(), &import);
    assert!(output.status.success(), "{}", stderr(&output));
    write_song(&folder.path().join("song.wav"), 8_820, 44_100, 1);
    let separate = ["separate", "song.wav", "--model", "mine", "--on-exists", "replace"];
    message(home.path(), folder.path(), &separate, 0);
    let weights = home.path().join("models/mine.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let at = bytes.len() - 100;
    bytes[at] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let text = message(home.path(), folder.path(), &separate, 1);
    let words =
        ["mine.safetensors está danificado", "importe de novo o arquivo original do modelo"];
    assert!(words.into_iter().all(|words| text.contains(words)), "{text}");
}
