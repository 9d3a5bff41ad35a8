//! Performs the actions about the library: import, multiple selection, removal, titles. Main
//! thread, at the end of a frame.

use std::{collections::BTreeSet, path::PathBuf, time::Instant};

use crate::{
    engine::{Command, SongId},
    ui::{
        action::Action,
        app::App,
        platform::dropped::Sorted,
        state::ui_state::{Removal, Renaming},
    },
};

impl App {
    /// Imports dropped files: songs, and at most one model.
    fn import_dropped(&mut self, paths: Vec<PathBuf>) {
        if let Some(sorted) = self.sorter.sort(paths) {
            self.import_sorted(sorted);
        }
    }

    /// Imports dropped files after sorting.
    pub(in crate::ui) fn import_sorted(&mut self, sorted: Sorted) {
        if let Some(model) = sorted.model {
            self.import_model(model.file, model.config);
        }
        if !sorted.songs.is_empty() {
            self.link.send(Command::Import(sorted.songs));
        }
    }

    pub(super) fn perform_on_library(&mut self, action: Action) {
        match action {
            Action::Import(paths) => self.import_dropped(paths),
            Action::ImportTrack(path, track) => {
                self.link.send(Command::ImportTrack { paths: vec![path], track });
            }
            Action::Remove(songs) => self.remove(songs.into_iter().collect()),
            Action::UndoRemove => self.undo_remove(),
            Action::Mark(song) => self.mark(song),
            Action::MarkTo(song) => self.mark_to(song),
            Action::Unmark => self.ui_state.marked.clear(),
            Action::ProcessAll(songs) => {
                for song in songs {
                    self.process_song(song);
                }
            }
            Action::ExportAll(songs) => self.open_export_of(&songs),
            Action::Retitle(song, text) => self.ui_state.renaming = Some(Renaming { song, text }),
            Action::EndRetitle { is_kept } => self.end_renaming(is_kept),
            _ => {}
        }
    }

    fn remove(&mut self, songs: BTreeSet<SongId>) {
        self.finish_removal();
        let title = match songs.iter().next() {
            Some(song) if songs.len() == 1 => self.state.song(*song).map(|song| song.title.clone()),
            _ => None,
        };
        self.ui_state.marked.clear();
        self.library.forget_order();
        let title = title.unwrap_or_default();
        for song in &songs {
            self.link.send(Command::Remove(*song));
        }
        self.ui_state.removal = Some(Removal { songs, title, at: Instant::now() });
    }

    fn undo_remove(&mut self) {
        self.finish_removal();
        let Some(songs) = self.ui_state.removed.pop() else { return };
        self.library.forget_order();
        for song in &songs {
            self.link.send(Command::Restore(*song));
        }
        self.ui_state.coming_back = songs.last().copied();
    }

    /// Hides the notice of the last removal, which can still be undone.
    pub(in crate::ui) fn finish_removal(&mut self) {
        if let Some(removal) = self.ui_state.removal.take() {
            self.library.forget_order();
            self.ui_state.removed.push(removal.songs);
        }
    }

    fn mark(&mut self, song: SongId) {
        let marked = &mut self.ui_state.marked;
        if marked.is_empty() {
            marked.extend(self.ui_state.selected);
        }
        if !marked.insert(song) {
            marked.remove(&song);
        }
        self.ui_state.anchor = Some(song);
    }

    fn mark_to(&mut self, song: SongId) {
        let from = self.ui_state.anchor.or(self.ui_state.selected).unwrap_or(song);
        self.ui_state.marked = self.library.between(&self.state, &self.ui_state, from, song);
        self.ui_state.anchor = Some(from);
    }

    pub(super) fn mark_all(&mut self) {
        self.ui_state.marked =
            self.library.order(&self.state, &self.ui_state).iter().copied().collect();
    }

    pub(super) fn begin_renaming(&mut self) {
        if let Some(song) = self.ui_state.selected.and_then(|id| self.state.song(id)) {
            let text = song.title.clone();
            self.ui_state.renaming = Some(Renaming { song: song.id, text });
        }
    }

    fn end_renaming(&mut self, is_kept: bool) {
        let Some(Renaming { song, text }) = self.ui_state.renaming.take() else { return };
        let title = text.trim().to_owned();
        let is_new = self.state.song(song).is_some_and(|song| song.title != title);
        if is_kept && is_new && !title.is_empty() {
            self.link.send(Command::Rename { song, title });
        }
    }
}
