//! The help of the real program and its errors of wrong usage, in the user's language.

use std::{fs, path::Path, process::Output};

use crate::support::{command, speak, stderr, stdout};

#[test]
fn the_help_is_in_the_users_language() {
    let home = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str], language: &str| {
        let output = in_language(home.path(), arguments, language);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    for arguments in
        [&["--help"][..], &["separate", "--help"], &["separate", "-h"], &["help", "model"]]
    {
        let (english, portuguese) = (help(arguments, "C"), help(arguments, "pt_BR.UTF-8"));
        assert!(english.contains("Usage: partita") && portuguese.contains("Uso: partita"));
        let english: Vec<&str> = english.lines().map(str::trim).collect();
        for line in portuguese.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(!english.contains(&line), "{line}");
        }
    }
    let separate = help(&["separate", "--help"], "pt_BR.UTF-8");
    for text in [
        "Separa arquivos de áudio em stems",
        "Uso: partita separate [OPÇÕES] [ARQUIVOS]...",
        "--out <PASTA>",
        "[padrão: separated]",
        "  -h, --help ",
        "Exibe a ajuda",
        "Códigos de saída: 0",
    ] {
        assert!(separate.contains(text), "{text}: {separate}");
    }
    fs::write(home.path().join("settings.toml"), "language = \"pt\"\n").unwrap();
    assert!(help(&["list", "--help"], "C").contains("Uso: partita list"));
    // A damaged file of settings stays where the window finds it.
    fs::write(home.path().join("settings.toml"), "language = \n").unwrap();
    assert!(help(&["list", "--help"], "C").contains("Usage: partita list"));
    assert!(home.path().join("settings.toml").is_file());
}

#[test]
fn wrong_usage_is_reported_in_the_users_language() {
    let home = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str], language: &str| {
        let output = in_language(home.path(), arguments, language);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        stderr(&output)
    };
    let text = error(&["separate", "a.wav", "--residul"], "pt_BR.UTF-8");
    let start = "erro: argumento inesperado: '--residul'\n\n  dica: existe um argumento parecido: \
                 '--residual'\n\nUso: partita separate ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("\n\nPara mais informações, use '--help'.\n"), "{text}");
    let text = error(&["separate", "a.wav", "--loudness", "3"], "pt_BR.UTF-8");
    assert!(
        text.contains("valor inválido '3' para '--loudness <LUFS>': esperado um número de -70 a 0")
    );
    let text = error(&["separate", "a.wav", "--loudness", "3"], "C");
    assert!(
        text.contains("invalid value '3' for '--loudness <LUFS>': expected a number from -70 to 0")
    );
}

fn in_language(home: &Path, arguments: &[&str], language: &str) -> Output {
    let other = tempfile::tempdir().unwrap();
    // Windows has no variable for the language, but a setting.
    let is_set = cfg!(windows) && language != "C";
    let mut command = command(if is_set { other.path() } else { home }, arguments);
    if is_set {
        speak(&mut command, other.path(), language);
    }
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", language).output().unwrap()
}
