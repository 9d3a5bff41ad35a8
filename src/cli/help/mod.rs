//! The help of the command line in the user's language: replaces the English texts of a [`Command`]
//! by the messages of `help.ftl`. Not the errors of the parser, see [`super::usage`]. Main thread.
//!
//! clap has no translations. Therefore its headings and its usage line are replaced by a template
//! for each command, and the notes that it adds, such as `[default: wav]`, by a part of the text.

use clap::{
    Arg, Command,
    builder::{Resettable, Str, StyledStr},
};

use crate::i18n::{self, Language, fl};

/// clap's subcommand, which lists copies of its siblings.
const HELP: &str = "help";
/// clap's name for a subcommand in a usage line.
const SUBCOMMAND: &str = "COMMAND";

/// Translates the help of a command and of all its subcommands. In English, the command is returned
/// unchanged. Texts that the language lacks stay English.
pub(super) fn localised(mut command: Command) -> Command {
    if i18n::spoken() == Language::english() {
        return command;
    }
    // Adds `--help`, the global options in each subcommand, and the names in usage lines.
    command.build();
    in_language(command, "")
}

/// Translates the command with this path: `model-install`, or empty for the program.
fn in_language(command: Command, path: &str) -> Command {
    let id = id_of(&command, path);
    let below = path_below(&command, path);
    let mut command = command.mut_args(|arg| argument(arg, &id)).mut_subcommands(|subcommand| {
        let path = joined(&below, subcommand.get_name());
        in_language(subcommand, &path)
    });
    if let Some(name) = placeholder(SUBCOMMAND) {
        command = command.subcommand_value_name(name);
    }
    if let Some(about) = i18n::by_id(&format!("help-{id}")) {
        command = command.about(about);
    }
    if command.get_after_help().is_some()
        && let Some(after) = i18n::by_id(&format!("help-{id}-after"))
    {
        command = command.after_help(after);
    }
    let template = template(&mut command);
    with_aliases(command.help_template(template))
}

/// The part of ids that names a command.
fn id_of(command: &Command, path: &str) -> String {
    match command.get_name() {
        HELP => HELP.to_owned(),
        name if path.is_empty() => name.to_owned(),
        _ => path.to_owned(),
    }
}

/// The path that the paths of a command's subcommands continue.
fn path_below(command: &Command, path: &str) -> String {
    let is_help = command.get_name() == HELP;
    let below = if is_help { path.rsplit_once('-').map_or("", |(above, _)| above) } else { path };
    below.to_owned()
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}-{name}") }
}

/// A name as a part of an id: `all_but` as `all-but`, `STEM=DB` as `stem-db`.
fn slug(name: &str) -> String {
    name.to_ascii_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

fn argument(mut arg: Arg, command: &str) -> Arg {
    let id = slug(arg.get_id().as_str());
    let own = i18n::by_id(&format!("help-{command}-{id}"));
    let text = own.or_else(|| i18n::by_id(&format!("help-shared-{id}")));
    let english = || arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut help = text.unwrap_or_else(english);
    if arg.get_action().takes_values() {
        for note in notes(&arg) {
            help = format!("{help} [{note}]");
        }
        let names = arg.get_value_names().unwrap_or_default().iter();
        let names: Vec<Str> =
            names.map(|name| placeholder(name).map_or_else(|| name.clone(), Str::from)).collect();
        arg = arg.value_names(names).hide_default_value(true).hide_possible_values(true);
    }
    arg.help(help)
}

/// The notes that clap would add in English.
fn notes(arg: &Arg) -> Vec<String> {
    let mut notes = Vec::new();
    if !arg.is_hide_default_value_set() && !arg.get_default_values().is_empty() {
        let values = arg.get_default_values().iter();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        notes.push(fl!(usage_default, value = values.join(" ")));
    }
    let values = arg.get_possible_values();
    if !arg.is_hide_possible_values_set() && !values.is_empty() {
        let values = values.iter().filter(|value| !value.is_hide_set());
        let values: Vec<_> = values.map(clap::builder::PossibleValue::get_name).collect();
        notes.push(fl!(usage_possible_values, values = values.join(", ")));
    }
    notes
}

/// The name of a value, such as FILE. clap requires that it lives until the program exits.
fn placeholder(name: &str) -> Option<&'static str> {
    i18n::by_id(&format!("help-value-{}", slug(name))).map(|name| &*name.leak())
}

/// clap's own template with other headings. It has no tag for them.
fn template(command: &mut Command) -> String {
    let usage = usage_line(&command.render_usage());
    let about = command.get_about().map(|about| format!("{}\n", about.ansi())).unwrap_or_default();
    let header = *command.get_styles().get_header();
    let mut parts = vec![format!("{{before-help}}{about}\n{usage}")];
    let mut section = |is_shown: bool, heading: &str, tag: &str| {
        if is_shown {
            parts.push(format!("{header}{heading}:{header:#}\n{tag}"));
        }
    };
    let is_command = |command: &Command| !command.is_hide_set() && command.get_name() != HELP;
    let are_commands = command.get_subcommands().any(is_command);
    let has_arguments = |positional: bool| {
        let mut arguments = command.get_arguments();
        arguments.any(|arg| arg.is_positional() == positional && !arg.is_hide_set())
    };
    section(are_commands, fl!(usage_commands), "{subcommands}");
    section(has_arguments(true), fl!(usage_arguments), "{positionals}");
    section(has_arguments(false), fl!(usage_options), "{options}");
    parts.join("\n\n") + "{after-help}"
}

/// clap's usage line in the user's language.
pub(super) fn usage_line(usage: &StyledStr) -> String {
    let usage = usage.ansi().to_string();
    let usage = usage.replacen("Usage:", &format!("{}:", fl!(usage_heading)), 1);
    usage.replacen("[OPTIONS]", &format!("[{}]", fl!(usage_options_tag)), 1)
}

/// Hides the aliases of a command, which clap would add in English, and names them in its line of
/// its parent's help. The command's own template has the text without them, as in English.
fn with_aliases(command: Command) -> Command {
    let shown: Vec<&str> = command.get_visible_aliases().collect();
    if shown.is_empty() {
        return command;
    }
    let names = fl!(usage_alias, count = shown.len(), names = shown.join(", "));
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let all: Vec<Str> =
        command.get_all_aliases().map(|alias| Str::from(&*alias.to_owned().leak())).collect();
    let command = command.visible_alias(Resettable::<Str>::Reset).aliases(all);
    command.about(format!("{about} [{names}]"))
}

#[cfg(test)]
mod tests;
