//! Wrong usage in the user's language: clap's errors of common kinds, formatted as clap does it.
//! Not the parsing, and no other errors. Main thread.

use std::{
    error::Error as _,
    io,
    num::{ParseFloatError, ParseIntError},
};

use clap::{
    builder::{StyledStr, styling::Styles},
    error::{ContextKind, ContextValue, Error, ErrorFormatter, ErrorKind},
};

use super::help::usage_line;
use crate::i18n::{self, Language, fl};

const STYLES: Styles = Styles::styled();
/// The option that errors point to.
const HELP: &str = "--help";

/// Prints the help, the version or an error. Errors of rare kinds are English.
pub(super) fn print(error: clap::Error) -> io::Result<()> {
    if i18n::spoken() == Language::english() || message(&error).is_none() {
        return error.print();
    }
    error.apply::<Localised>().print()
}

/// Formats an error in the language of this thread.
struct Localised;

impl ErrorFormatter for Localised {
    fn format_error(error: &Error<Self>) -> StyledStr {
        let (style, literal) = (STYLES.get_error(), STYLES.get_literal());
        let mut text = format!("{style}{}:{style:#} ", fl!(usage_error));
        text += &message(error).unwrap_or_else(|| error.kind().to_string());
        let tips = tips(error);
        if !tips.is_empty() {
            let style = STYLES.get_valid();
            let line = |tip: &String| format!("\n  {style}{}:{style:#} {tip}", fl!(usage_tip));
            text += "\n";
            text.extend(tips.iter().map(line));
        }
        if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
            text = format!("{text}\n\n{}", usage_line(usage));
        }
        let option = format!("{literal}{HELP}{literal:#}");
        format!("{text}\n\n{}\n", fl!(usage_more, option = option)).into()
    }
}

/// The first sentence; `None` for kinds without a translation.
fn message<F: ErrorFormatter>(error: &Error<F>) -> Option<String> {
    let argument = || text(error, ContextKind::InvalidArg);
    Some(match error.kind() {
        ErrorKind::UnknownArgument => {
            fl!(usage_unknown_argument, argument = invalid(argument()?))
        }
        ErrorKind::InvalidSubcommand => {
            let subcommand = text(error, ContextKind::InvalidSubcommand)?;
            fl!(usage_unknown_subcommand, subcommand = invalid(subcommand))
        }
        ErrorKind::MissingRequiredArgument => {
            let ContextValue::Strings(missing) = error.get(ContextKind::InvalidArg)? else {
                return None;
            };
            lines(fl!(usage_required).to_owned(), missing, valid)
        }
        ErrorKind::ArgumentConflict => conflict(argument()?, error.get(ContextKind::PriorArg)),
        ErrorKind::TooManyValues => {
            let value = text(error, ContextKind::InvalidValue)?;
            fl!(usage_value_unexpected, value = invalid(value), argument = literal(argument()?))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            invalid_value(error, argument()?, text(error, ContextKind::InvalidValue)?)
        }
        _ => return None,
    })
}

fn conflict(argument: &str, other: Option<&ContextValue>) -> String {
    let name = invalid(argument);
    match other {
        Some(ContextValue::String(other)) if other == argument => {
            fl!(usage_repeated, argument = name)
        }
        Some(ContextValue::String(other)) => {
            fl!(usage_conflict, argument = name, other = invalid(other))
        }
        Some(ContextValue::Strings(others)) => {
            lines(fl!(usage_conflict_several, argument = name), others, invalid)
        }
        _ => fl!(usage_conflict_unnamed, argument = name),
    }
}

fn invalid_value<F: ErrorFormatter>(error: &Error<F>, argument: &str, value: &str) -> String {
    let mut message = if value.is_empty() && error.kind() == ErrorKind::InvalidValue {
        fl!(usage_value_missing, argument = invalid(argument))
    } else {
        fl!(usage_value_invalid, value = invalid(value), argument = literal(argument))
    };
    if let Some(reason) = reason(error, value) {
        message = format!("{message}: {reason}");
    }
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        let values: Vec<String> = values.iter().map(|value| valid(value)).collect();
        let note = fl!(usage_possible_values, values = values.join(", "));
        message = format!("{message}\n  [{note}]");
    }
    message
}

/// The reason why a parser rejected a value. Partita's own parsers write it in the user's language.
fn reason<F: ErrorFormatter>(error: &Error<F>, value: &str) -> Option<String> {
    let source = error.source()?;
    if source.is::<ParseIntError>() {
        return Some(fl!(expected_integer).to_owned());
    }
    if source.is::<ParseFloatError>() {
        return Some(fl!(expected_number).to_owned());
    }
    let text = source.to_string();
    let range = text.strip_prefix(&format!("{value} is not in ")).map(str::to_owned);
    Some(range.map_or(text, |range| fl!(expected_in_range, range = range)))
}

/// The proposals below the message.
fn tips<F: ErrorFormatter>(error: &Error<F>) -> Vec<String> {
    let mut tips = Vec::new();
    let similar = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => vec![name.clone()],
        Some(ContextValue::Strings(names)) => names.clone(),
        _ => Vec::new(),
    };
    let quoted = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("'{}'", valid(name))).collect();
        names.join(", ")
    };
    let subcommands = similar(ContextKind::SuggestedSubcommand);
    if !subcommands.is_empty() {
        let names = quoted(&subcommands);
        tips.push(fl!(usage_similar_subcommand, count = subcommands.len(), names = names));
    }
    for name in similar(ContextKind::SuggestedArg) {
        tips.push(fl!(usage_similar_argument, name = valid(&name)));
    }
    for value in similar(ContextKind::SuggestedValue) {
        tips.push(fl!(usage_similar_value, value = valid(&value)));
    }
    if let Some(ContextValue::StyledStrs(others)) = error.get(ContextKind::Suggested) {
        let wrong = text(error, ContextKind::InvalidArg);
        let wrong = wrong.or_else(|| text(error, ContextKind::InvalidSubcommand));
        tips.extend(others.iter().map(|tip| finished_tip(tip, wrong.unwrap_or_default())));
    }
    tips
}

/// A proposal that clap gives as an English sentence, recognised by its form. Others stay English.
fn finished_tip(tip: &StyledStr, wrong: &str) -> String {
    let text = tip.to_string();
    let as_value = text.strip_prefix(&format!("to pass '{wrong}' as a value, use '"));
    if let Some(command) = as_value.and_then(|rest| rest.strip_suffix('\'')) {
        return fl!(usage_as_value, argument = invalid(wrong), command = valid(command));
    }
    if text.starts_with(&format!("subcommand '{wrong}' exists; to use it, remove the '--'")) {
        return fl!(usage_dashes, subcommand = valid(wrong), dashes = invalid("--"));
    }
    let existing = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix("' exists"));
    match existing {
        Some(command) => fl!(usage_exists, command = valid(command)),
        None => tip.ansi().to_string(),
    }
}

fn text<F: ErrorFormatter>(error: &Error<F>, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

/// A heading and one item a line.
fn lines(heading: String, items: &[String], styled: fn(&str) -> String) -> String {
    items.iter().fold(heading, |text, item| format!("{text}\n  {}", styled(item)))
}

fn invalid(text: &str) -> String {
    let style = STYLES.get_invalid();
    format!("{style}{text}{style:#}")
}

fn valid(text: &str) -> String {
    let style = STYLES.get_valid();
    format!("{style}{text}{style:#}")
}

fn literal(text: &str) -> String {
    let style = STYLES.get_literal();
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::{
        super::{Arguments, help},
        *,
    };

    const WRONG: [&[&str]; 13] = [
        &["list", "--nosuch"],
        &["list", "--jsno"],
        &["separate", "a.wav", "--residul"],
        &["model", "instal"],
        &["model", "xyz"],
        &["separate"],
        &["process", "--stems"],
        &["separate", "a.wav", "--manifest", "b.csv"],
        &["list", "--json=3"],
        &["separate", "a.wav", "--format", "wma"],
        &["separate", "a.wav", "--mix", "--mix"],
        &["reset", "-y"],
        &["model", "--", "list"],
    ];

    fn error(words: &[&str]) -> clap::Error {
        let command = help::localised(Arguments::command());
        let words = ["partita"].iter().chain(words);
        command.try_get_matches_from(words).unwrap_err()
    }

    /// The English messages give the same text as clap, and Portuguese a different one.
    #[test]
    fn errors_are_formatted_as_clap_does_it() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/i18n");
        for words in WRONG {
            i18n::speak(Language::english());
            let expected = error(words).render().ansi().to_string();
            i18n::speak(Language::read(&assets.join("en")).unwrap());
            let english = error(words).apply::<Localised>().render().ansi().to_string();
            assert_eq!(english, expected);
            i18n::speak(Language::for_locale("pt-BR").unwrap());
            assert!(message(&error(words)).is_some(), "{words:?}");
            let text = error(words).apply::<Localised>().render().to_string();
            let english: Vec<&str> = expected.lines().collect();
            for line in text.lines().filter(|line| !line.is_empty()) {
                let is_item = line.starts_with("  <") || line.starts_with("  -");
                assert!(is_item || !english.contains(&line), "{line} is English");
            }
        }
        i18n::speak(Language::english());
    }

    #[test]
    fn reasons_are_in_the_language() {
        i18n::speak(Language::for_locale("pt-BR").unwrap());
        for (words, expected) in [
            (&["list", "--threads", "x"][..], "número inteiro"),
            (&["separate", "a", "--shifts", "11"], "0..=10"),
            (&["separate", "a", "--segment", "x"], "esperado um número"),
            (&["list", "--precision", "quick"], "`single` ou `fast`"),
            (&["list", "--device", "gpu"], "`cuda:1` ou `metal`"),
            (&["list", "--memory", "x"], "2G"),
            (&["separate", "a", "--shard", "0/3"], "3/8"),
            (&["separate", "a", "--track", "0"], "a partir de 1"),
            (&["separate", "a", "--name", "{titel}"], "campo desconhecido"),
        ] {
            let text = error(words).apply::<Localised>().render().to_string();
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains(" is ") && !text.contains("expected"), "{text}");
        }
        i18n::speak(Language::english());
    }
}
