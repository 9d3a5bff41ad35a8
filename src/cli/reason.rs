//! Reasons for failures: for people in their language, and for programs in English. Not the engine's
//! errors, of which reasons are made. Pure, except for the language; main thread.

use std::{error::Error, fmt, io, path::Path};

use crate::{
    engine::{Problem, problem::PatternProblem},
    i18n::in_english,
    model::ModelError,
    os::Os,
    words,
};

/// A reason in the user's language and in English. It can be returned as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// Text for standard error.
    pub(super) text: String,
    /// Text for JSON.
    pub(super) english: String,
    /// Whether the text names its song or file as the user did.
    pub(super) names_it: bool,
}

impl Reason {
    /// Creates a reason from a function that formats it in the language of this thread.
    pub(super) fn new<T: Into<String>>(text: impl Fn() -> T) -> Self {
        Self::of(text().into(), in_english(&text).into())
    }

    fn of(text: String, english: String) -> Self {
        Self { text, english, names_it: false }
    }

    /// A reason for the failure of the file at `path`, whose name is on the line already.
    pub(super) fn of_file(path: &Path, problem: &Problem) -> Self {
        Self { text: words::problem_of(path, problem), ..Self::from(problem) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.english)
    }
}

impl Error for Reason {}

impl From<&Problem> for Reason {
    fn from(problem: &Problem) -> Self {
        let names_it = matches!(problem, Problem::NoSuchSong { .. } | Problem::SeveralSongs { .. });
        Self { names_it, ..Self::of(words::problem(problem), problem.to_string()) }
    }
}

impl From<&ModelError> for Reason {
    fn from(error: &ModelError) -> Self {
        Self::of(words::model_error(error), error.to_string())
    }
}

impl From<&PatternProblem> for Reason {
    fn from(problem: &PatternProblem) -> Self {
        Self::of(words::pattern_problem(problem), problem.to_string())
    }
}

impl From<&io::Error> for Reason {
    fn from(error: &io::Error) -> Self {
        let cause = Os::from(error);
        Self::of(words::system_error(&cause), cause.to_string())
    }
}

/// The reasons of an error and its causes, as in anyhow's `{:#}`. An error of an unknown type is in
/// English.
impl From<&anyhow::Error> for Reason {
    fn from(error: &anyhow::Error) -> Self {
        let (mut texts, mut english, mut names_it) = (Vec::new(), Vec::new(), true);
        for cause in error.chain() {
            let reason = of_cause(cause);
            names_it &= reason.names_it;
            texts.push(reason.text);
            english.push(reason.english);
        }
        Self { text: texts.join(": "), english: english.join(": "), names_it }
    }
}

fn of_cause(cause: &(dyn Error + 'static)) -> Reason {
    let problem = cause.downcast_ref::<Problem>().map(Reason::from);
    problem
        .or_else(|| cause.downcast_ref::<ModelError>().map(Reason::from))
        .or_else(|| cause.downcast_ref::<PatternProblem>().map(Reason::from))
        .or_else(|| cause.downcast_ref::<io::Error>().map(Reason::from))
        .or_else(|| cause.downcast_ref::<Reason>().cloned())
        .unwrap_or_else(|| Reason::of(cause.to_string(), cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Language, fl, speak};

    #[test]
    fn a_chain_of_errors_is_in_both_languages() {
        speak(Language::for_locale("pt-BR").unwrap());
        let error = anyhow::Error::from(ModelError::Cancelled);
        let reason = Reason::from(&error.context("while reading"));
        assert_eq!(reason.english, "while reading: cancelled");
        assert_eq!(reason.text, "while reading: cancelado");
        let outer = Reason::new(|| fl!(cli_cancelled, file = "a.wav"));
        let reason = Reason::from(&anyhow::Error::from(outer.clone()));
        assert_eq!(reason, outer);
        assert_ne!(reason.text, reason.english);
        speak(Language::english());
    }
}
