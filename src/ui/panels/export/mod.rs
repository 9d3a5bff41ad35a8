//! Export: the dialog (content, format, folder, names), and the cards with the progress of exports.

mod cards;
mod dialog;
mod form;
mod names;
mod rows;

pub use cards::cards;
pub use dialog::dialog;
