//! Tests that the help is the same in all languages, and that `help.ftl` holds the English texts.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;

use super::{super::Arguments, *};

fn assets(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/i18n").join(name)
}

/// A command with its texts, by argument; an empty name is the command itself, `after` the text below.
struct Texts {
    id: String,
    texts: Vec<(String, String)>,
}

/// Collects the texts of a command and its subcommands, and the names of their values.
fn collect(command: &Command, path: &str, found: &mut Vec<Texts>, values: &mut BTreeSet<String>) {
    let id = id_of(command, path);
    let is_long = command.get_long_about().or(command.get_after_long_help()).is_some();
    assert!(!is_long, "{id}: long texts have no id; write one paragraph");
    let mut texts = vec![(String::new(), command.get_about().unwrap().to_string())];
    if let Some(after) = command.get_after_help() {
        texts.push(("after".into(), after.to_string()));
    }
    for arg in command.get_arguments() {
        let name = arg.get_id().as_str();
        let help = arg.get_help().unwrap_or_else(|| panic!("{id}: {name} has no help"));
        assert!(arg.get_long_help().is_none(), "{id}: {name} has a long help, which has no id");
        texts.push((slug(name), help.to_string()));
        if arg.get_action().takes_values() {
            values.extend(arg.get_value_names().unwrap().iter().map(ToString::to_string));
        }
    }
    if found.iter().all(|known| known.id != id) {
        found.push(Texts { id, texts });
    }
    // The subcommands of `help` are copies.
    if command.get_name() != HELP {
        for subcommand in command.get_subcommands() {
            let path = joined(&path_below(command, path), subcommand.get_name());
            collect(subcommand, &path, found, values);
        }
    }
}

/// The texts of arguments that several commands have, all with the same text.
fn shared(commands: &[Texts]) -> Vec<(String, String)> {
    let arguments = || commands.iter().flat_map(|command| &command.texts);
    let mut shared: Vec<(String, String)> = Vec::new();
    for entry in arguments().filter(|(name, _)| !["", "after"].contains(&&**name)) {
        let mut same = arguments().filter(|(name, _)| *name == entry.0);
        let is_shared = same.clone().count() > 1 && same.all(|other| other == entry);
        if is_shared && !shared.contains(entry) {
            shared.push(entry.clone());
        }
    }
    shared
}

fn message(id: &str, text: &str) -> String {
    let text = match (text.find('{'), text.rfind('}')) {
        (Some(from), Some(to)) => {
            let quoted = text[from..=to].replace('\\', "\\\\").replace('"', "\\\"");
            format!("{}{{ \"{quoted}\" }}{}", &text[..from], &text[to + 1..])
        }
        _ => text.to_owned(),
    };
    if text.contains('\n') {
        format!("{id} =\n    {}\n", text.replace('\n', "\n    "))
    } else {
        format!("{id} = {text}\n")
    }
}

/// `help.ftl` as the definitions of the commands give it.
fn expected_file() -> String {
    let mut command = Arguments::command();
    command.build();
    let (mut commands, mut values) = (Vec::new(), BTreeSet::from([SUBCOMMAND.to_owned()]));
    collect(&command, "", &mut commands, &mut values);
    let shared = shared(&commands);
    let mut file = "\
# The help of the command line (partita --help). Written from the definitions in src/cli by
# `UPDATE_SNAPSHOTS=1 ./x test help`: change the English there. Names of commands and options stay as
# they are; so do the names in backticks, except placeholders in capitals.

## Placeholders for values, in capitals by custom

"
    .to_owned();
    let ids: BTreeSet<String> = values.iter().map(|name| slug(name)).collect();
    assert_eq!(ids.len(), values.len(), "two placeholders have the same id: {values:?}");
    for name in &values {
        file += &message(&format!("help-value-{}", slug(name)), name);
    }
    file += "\n## Options of several commands\n\n";
    for (name, text) in &shared {
        file += &message(&format!("help-shared-{name}"), text);
    }
    for Texts { id, texts } in commands {
        let name = id.replace('-', " ");
        let program = if name == "partita" { "" } else { "partita " };
        write!(file, "\n## {program}{name}\n\n").unwrap();
        for entry in texts.into_iter().filter(|entry| !shared.contains(entry)) {
            let (name, text) = entry;
            let end = if name.is_empty() { name } else { format!("-{name}") };
            file += &message(&format!("help-{id}{end}"), &text);
        }
    }
    file
}

/// `UPDATE_SNAPSHOTS=1` rewrites the file.
#[test]
fn the_english_messages_are_those_of_the_definitions() {
    let (path, expected) = (assets("en/help.ftl"), expected_file());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "run `UPDATE_SNAPSHOTS=1 ./x test help`");
    assert_eq!(found.len(), expected.len(), "run `UPDATE_SNAPSHOTS=1 ./x test help`");
}

/// The help of a command and of all its subcommands, by name.
fn pages(command: &mut Command) -> Vec<(String, String)> {
    let mut pages = vec![(command.get_name().to_owned(), command.render_help().ansi().to_string())];
    for subcommand in command.get_subcommands_mut() {
        pages.extend(self::pages(subcommand));
    }
    pages
}

fn in_this_language() -> Vec<(String, String)> {
    let mut command = localised(Arguments::command());
    command.build();
    pages(&mut command)
}

#[test]
fn english_messages_give_the_help_that_clap_writes() {
    let expected = in_this_language();
    i18n::speak(Language::read(&assets("en")).unwrap());
    let found = in_this_language();
    i18n::speak(Language::english());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn no_line_of_the_help_is_left_in_english() {
    let english = in_this_language();
    for language in Language::all().skip(1) {
        i18n::speak(language);
        let found = in_this_language();
        i18n::speak(Language::english());
        assert_eq!(found.len(), english.len());
        for ((name, text), (_, english)) in found.iter().zip(&english) {
            let english: Vec<&str> = english.lines().map(str::trim).collect();
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                assert!(!english.contains(&line), "{language:?}: {name}: {line}");
            }
            for word in ["Usage:", "[OPTIONS]", "[default:", "[alias:"] {
                assert!(!text.contains(word), "{language:?}: {name}: {word}");
            }
        }
    }
}

#[test]
fn an_incomplete_language_is_completed_by_english() {
    let file = "help-list = malplena\nhelp-value-n = K\n".to_owned();
    i18n::speak(Language::from_files("eo", vec![file]));
    let pages = in_this_language();
    i18n::speak(Language::english());
    let (_, list) = pages.iter().find(|(name, _)| name == "list").unwrap();
    assert!(list.starts_with("malplena\n"), "{list}");
    assert!(list.contains("--threads") && list.contains("<K>") && list.contains("all cores"));
}
