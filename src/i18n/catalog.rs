//! The messages of one language, parsed on first use and kept until the program exits. Any thread.

use std::sync::OnceLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::{
    medium::{self, medium},
    messages::IDS,
    numbers,
};

/// A language's files and messages.
pub(super) struct Source {
    tag: &'static str,
    files: &'static [&'static str],
    catalog: OnceLock<Catalog>,
}

struct Catalog {
    bundle: FluentBundle<FluentResource>,
    /// Messages without variables, each formatted once for each medium, because the window reads about a
    /// hundred in each frame.
    fixed: [Vec<OnceLock<Option<String>>>; 2],
}

impl Source {
    pub(super) const fn new(tag: &'static str, files: &'static [&'static str]) -> Self {
        Self { tag, files, catalog: OnceLock::new() }
    }

    /// The name of the language's folder.
    pub(super) fn tag(&self) -> &'static str {
        self.tag
    }

    /// The texts of the language's files.
    pub(super) fn files(&self) -> &'static [&'static str] {
        self.files
    }

    /// The parsed tag; undetermined if the folder's name is not a tag.
    pub(super) fn id(&self) -> LanguageIdentifier {
        self.tag.parse().unwrap_or_default()
    }

    /// A message without variables.
    pub(super) fn fixed(&self, index: usize) -> Option<&str> {
        let text = self.catalog().fixed[medium() as usize].get(index)?;
        text.get_or_init(|| self.formatted(index, &FluentArgs::new())).as_deref()
    }

    /// A message with its variables; `None` if the language lacks the message, or the message uses
    /// an unknown variable.
    pub(super) fn formatted(&self, index: usize, arguments: &FluentArgs<'_>) -> Option<String> {
        self.by_id(IDS.get(index)?, arguments)
    }

    /// Like [`Self::formatted`], for an id that is only known at run time.
    pub(super) fn by_id(&self, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        self.catalog().formatted(id, arguments)
    }

    fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| Catalog::new(self.id(), self.files))
    }
}

impl Catalog {
    fn new(tag: LanguageIdentifier, files: &[&str]) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Fonts without isolation marks would draw boxes, and copied text would contain the marks.
        bundle.set_use_isolating(false);
        for file in files {
            // Invalid messages are left out and shown in English; a test reports them.
            let resource = match FluentResource::try_new((*file).to_owned()) {
                Ok(resource) | Err((resource, _)) => resource,
            };
            bundle.add_resource_overriding(resource);
        }
        if let Err(error) = bundle.add_builtins() {
            tracing::warn!("the functions of Fluent are missing: {error}");
        }
        let with_medium = bundle.add_function("MEDIUM", |_, _| medium::in_message());
        if let Err(error) = with_medium {
            tracing::warn!("the function MEDIUM is missing: {error}");
        }
        // A formatter is a function pointer without a language, and only this thread's language is
        // ever formatted.
        bundle.set_formatter(Some(|value, _| match value {
            FluentValue::Number(number) => Some(numbers::in_message(number)),
            _ => None,
        }));
        Self { bundle, fixed: [(); 2].map(|()| vec![OnceLock::new(); IDS.len()]) }
    }

    fn formatted(&self, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let (id, attribute) =
            id.split_once('.').map_or((id, None), |(id, attribute)| (id, Some(attribute)));
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(arguments), &mut errors);
        errors.is_empty().then(|| text.into_owned())
    }
}
