//! Export: the dialog (what, in which format, where, under which names), and the cards that tell
//! how exports are getting on.

mod cards;
mod dialog;
mod form;
mod names;
mod rows;

pub use cards::cards;
pub use dialog::dialog;
