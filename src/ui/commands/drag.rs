//! Lanes dragged out of the window. The engine prepares their files; if the button is still held
//! when they are ready, the drag starts. Main thread.

use std::{path::PathBuf, sync::Arc};

use egui::{CursorIcon, Key};

use crate::{
    engine::{Command, Event, SongId},
    ui::{
        app::App,
        platform::drag_out::{self, Failure, State},
        state::{ui_state::DragOut, view_state::Said},
    },
};

impl App {
    /// Handles the drag of a lane of the selected song.
    pub(super) fn drag_out(&mut self, stem: String, with_ticked: bool) {
        let is_separated = |id: &SongId| self.state.is_separated(*id);
        let Some(song) = self.ui_state.selected.filter(is_separated) else { return };
        let stems = if with_ticked {
            let stems = self.state.instruments(song);
            stems.file_names(&self.ui_state.lanes(song, stems))
        } else {
            vec![stem]
        };
        self.drag = None;
        let request = self.link.request(Command::PrepareDrag { song, stems: stems.clone() });
        self.ui_state.drag_out = Some(DragOut { request, song, stems, is_under_way: false });
    }

    /// Handles the engine's events about files to drag.
    pub(in crate::ui) fn follow_drag_event(&mut self, event: &Event) {
        match event {
            Event::DragReady { song, stems, files } => self.drag_ready(*song, stems, files),
            Event::Failed { request: Some(request), .. }
                if self.ui_state.drag_out.as_ref().is_some_and(|drag| drag.request == *request) =>
            {
                self.ui_state.drag_out = None;
            }
            _ => {}
        }
    }

    /// Starts the drag of prepared files. If the user has ended the drag meanwhile, the next drag
    /// uses the files.
    fn drag_ready(&mut self, song: SongId, stems: &[String], files: &[PathBuf]) {
        let Some(drag) = &mut self.ui_state.drag_out else { return };
        if drag.is_under_way || drag.song != song || drag.stems != stems {
            return;
        }
        drag.is_under_way = true;
        self.drag = Some(drag_out::start(files.to_vec(), Arc::clone(&self.waker)));
    }

    /// Cleans up ended drags, and sets the pointer's shape from the drag's state.
    pub(in crate::ui) fn follow_drag(&mut self, ctx: &egui::Context) {
        let (is_held, is_inside, is_given_up) = ctx.input(|input| {
            let window = input.viewport_rect();
            let is_inside = input.pointer.latest_pos().is_some_and(|place| window.contains(place));
            (input.pointer.primary_down(), is_inside, input.key_pressed(Key::Escape))
        });
        if !is_held || (is_given_up && self.drag.is_none()) {
            self.ui_state.drag_out = None;
        }
        let state = self.drag.as_ref().map(drag_out::Drag::state);
        match state {
            // Once the button is released, the pointer is the window's again, although the target
            // has not answered yet.
            Some(State::Dragging { accepted }) if self.ui_state.drag_out.is_some() => {
                let takes = accepted || is_inside;
                ctx.set_cursor_icon(if takes {
                    CursorIcon::Grabbing
                } else {
                    CursorIcon::NotAllowed
                });
            }
            None if self.ui_state.drag_out.is_some() => ctx.set_cursor_icon(CursorIcon::Grabbing),
            Some(State::Dragging { .. }) | None => {}
            Some(end) => {
                let song = self.ui_state.drag_out.take().map(|drag| drag.song);
                self.drag = None;
                if let State::Failed(failure) = end {
                    self.state.say(
                        song,
                        match failure {
                            Failure::NotTaken => Said::NotTaken,
                            Failure::System(text) => Said::Text(text),
                        },
                    );
                }
            }
        }
    }
}
