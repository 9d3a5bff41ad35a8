//! The panels of the window, one a file. A panel reads the state, draws, and pushes [`Action`]s; it
//! changes nothing itself.

pub mod chain;
pub mod empty;
pub mod export;
pub mod facts;
mod form;
pub mod help;
pub mod jobs;
pub mod lanes;
pub mod library;
mod modal;
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

/// Inputs of a panel, and the list of its actions.
pub struct Cx<'a> {
    /// The engine's state as known from its events.
    pub state: &'a ViewState,
    /// The state that the user controls.
    pub ui_state: &'a UiState,
    /// The player, read only.
    pub player: &'a dyn Playback,
    /// Level meters of the lanes: the stems in the model's order, then the residual; empty without
    /// a track.
    pub lane_meters: &'a [Meter],
    /// Colours of the active theme.
    pub tokens: &'static Tokens,
    /// The time of this frame.
    pub now: Instant,
    /// The actions to perform at the end of the frame.
    pub actions: Vec<Action>,
}

impl Cx<'_> {
    /// Requests a named command.
    pub fn verb(&mut self, verb: UiCommand) {
        self.actions.push(Action::Do(verb));
    }

    /// Requests an action.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}
