//! Performs the actions about the view: zoom, scrolling, following the play head, and requests for
//! finer peaks. Main thread, at the end of a frame.

use super::App;
use crate::{
    engine::{Command, audio::peaks::FRAMES_PER_PEAK},
    ui::{
        state::{ui_state::Detail, view_state::OpenSong},
        theme::size,
        timeline::viewport::Viewport,
    },
};

impl App {
    /// The open song, if it is also the selected one.
    fn shown(&self) -> Option<&OpenSong> {
        self.state.open().filter(|open| Some(open.id) == self.ui_state.selected)
    }

    /// Sets the visible range; the play head is followed again once it is visible.
    pub(super) fn look(&mut self, view: Viewport) {
        let Some(frames) = self.shown().map(|open| open.frames) else { return };
        let width = self.waves.width;
        let view = view.within(frames, width);
        self.ui_state.look = (!view.is_whole(frames, width)).then_some(view);
        self.follows = false;
    }

    /// Zooms about the play head if it is visible, otherwise about the middle.
    pub(super) fn zoom(&mut self, factor: f64) {
        let Some(frames) = self.shown().map(|open| open.frames) else { return };
        let (head, width) = (self.link.player().position() as f64, self.waves.width);
        let view = self.ui_state.view(frames, width);
        let about = if view.shows(head, width) { view.points_to(head) } else { width / 2.0 };
        let follows = self.follows;
        self.look(view.zoomed(factor, about));
        self.follows = follows;
    }

    /// Scrolls by 90 % of the visible range for each page.
    pub(super) fn turn_page(&mut self, pages: f32) {
        let Some(frames) = self.shown().map(|open| open.frames) else { return };
        let width = self.waves.width;
        self.look(self.ui_state.view(frames, width).scrolled(0.9 * pages * width));
    }

    /// Turns the page when the play head has left it, unless the user has scrolled elsewhere.
    pub(in crate::ui) fn follow_head(&mut self) {
        let Some(frames) = self.shown().map(|open| open.frames) else { return };
        let (head, width) = (self.link.player().position() as f64, self.waves.width);
        let view = self.ui_state.view(frames, width);
        let is_in_sight = view.shows(head, width);
        if !is_in_sight && self.follows && self.ui_state.look.is_some() {
            self.ui_state.look = Some(view.turned_to(head, width).within(frames, width));
        }
        self.follows |= is_in_sight;
    }

    /// Requests finer peaks at high zoom, once for each range, and again whenever more of the range
    /// is separated.
    pub(in crate::ui) fn ask_for_detail(&mut self) {
        let wanted = self.shown().and_then(|open| {
            let view = self.ui_state.view(open.frames, self.waves.width);
            let (frames, frames_per_peak) =
                view.detail(self.waves.width, size::BAR.1, FRAMES_PER_PEAK)?;
            let within = |&(start, end): &(u64, u64)| {
                end.min(frames.end).saturating_sub(start.max(frames.start))
            };
            let covered = open.covered.iter().map(within).sum();
            Some(Detail { song: open.id, frames, frames_per_peak, covered })
        });
        if wanted == self.ui_state.detail {
            return;
        }
        if let Some(Detail { song, frames, frames_per_peak, .. }) = wanted.clone() {
            self.link.send(Command::ShowDetail { song, frames, frames_per_peak });
        }
        self.ui_state.detail = wanted;
    }
}
