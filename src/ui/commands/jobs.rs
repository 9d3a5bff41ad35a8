//! Performs the actions about jobs. Main thread, at the end of a frame.

use crate::{
    engine::{Command, Event, JobId},
    ui::{action::Action, app::App},
};

impl App {
    pub(super) fn perform_on_jobs(&mut self, action: Action) {
        self.link.send(match action {
            Action::PauseJob(job) => Command::Pause(job),
            Action::ContinueJob(job) => Command::Continue(job),
            Action::RetryJob(job) => Command::Retry(job),
            Action::MoveJob(job, to) => Command::MoveJob { job, to },
            Action::ClearJobs(jobs) => Command::ClearJobs(jobs),
            Action::ShowTracks(job) => return self.show_tracks(job),
            _ => return,
        });
    }

    /// Shows a job's result files, which are written at the first request.
    fn show_tracks(&mut self, job: JobId) {
        if let Some(file) = self.state.tracks(job).first() {
            self.revealer.show(file.clone());
        } else {
            self.wanted_tracks = Some(job);
            self.link.send(Command::MakeTracks(job));
        }
    }

    /// Shows the requested result files once they are written.
    pub(in crate::ui) fn follow_tracks(&mut self, event: &Event) {
        if let Event::Tracks { job, files } = event
            && self.wanted_tracks.take_if(|wanted| wanted == job).is_some()
            && let Some(file) = files.first()
        {
            self.revealer.show(file.clone());
        }
    }
}
