//! The places of the window, one a file. A panel reads the state and the desk, draws, and pushes
//! [`Action`]s; it changes nothing itself.

pub mod empty;
pub mod export;
pub mod facts;
pub mod help;
pub mod jobs;
pub mod lanes;
pub mod library;
pub mod model;
pub mod notices;
pub mod page;
pub mod prompt;
pub mod question;
pub mod settings;
pub mod song;
pub mod transport;

use std::time::Instant;

use super::{
    action::{Action, UiCommand},
    state::{engine_link::Playback, ui_state::UiState, view_state::ViewState},
    theme::Tokens,
    widgets::meter::Meter,
};

/// What a panel draws from, and where it puts what the user asks for.
pub struct Cx<'a> {
    /// What the engine has told.
    pub state: &'a ViewState,
    /// What the user has set.
    pub ui_state: &'a UiState,
    /// The player, to be read.
    pub player: &'a dyn Playback,
    /// Levels of the lanes: the stems in the model's order, then the residual; none without a track.
    pub lane_meters: &'a [Meter],
    /// Colours.
    pub tokens: &'static Tokens,
    /// The moment of this frame.
    pub now: Instant,
    /// Done at the end of the frame.
    pub actions: Vec<Action>,
}

impl Cx<'_> {
    /// Asks for a named command.
    pub fn verb(&mut self, verb: UiCommand) {
        self.actions.push(Action::Do(verb));
    }

    /// Asks for something.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}
