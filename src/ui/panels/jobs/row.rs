//! One job: its song, instruments, model, state, and actions.

use egui::{
    Align, EventFilter, FocusDirection, Key, Layout, Modifiers, Response, Role, Sense, Ui,
    WidgetInfo, vec2,
};

use crate::{
    engine::{Job, JobState},
    i18n::fl,
    ui::{
        action::Action,
        panels::Cx,
        state::view_state::ViewState,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            at,
            button::icon_button,
            cover::Covers,
            focus_ring,
            icon::Icon,
            layout::{rest, row, row_from_right, stack},
            plain,
            surface::within,
        },
        words,
    },
};

/// Draws the job. Returns the response of the row itself.
pub fn job_ui(ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, job: &Job) -> Response {
    // Leaves space for the scrollbar.
    let size = vec2((ui.available_width() - space::SMALL).max(0.0), size::JOB);
    let (_, rect) = ui.allocate_space(size);
    let state = cx.state;
    let Some(song) = state.song(job.song) else {
        return at(ui, ("job", job.id), rect, Sense::hover());
    };
    let response = at(ui, ("job", job.id), rect, Sense::click_and_drag());
    let tokens = cx.tokens;
    let fill = if response.hovered() { tokens.raised } else { tokens.panel };
    ui.painter().rect_filled(rect, radius::LANE, fill);
    if job.state == JobState::Running {
        let mut done = rect;
        done.set_width(rect.width() * job.fraction().clamp(0.0, 1.0) as f32);
        let painter = ui.painter().with_clip_rect(done.intersect(ui.clip_rect()));
        painter.rect_filled(rect, radius::LANE, tokens.progress);
    }
    let what = what_words(cx, job);
    let how = state_words(cx, job);
    within(ui, rect, margin::JOB, |ui| {
        row_from_right(ui, size::JOB, |ui| {
            buttons_ui(ui, cx, job, &song.title);
            ui.add_space(space::MEDIUM);
            rest(ui, |ui| {
                covers.show(ui, size::JOB_COVER, song, radius::FIELD);
                ui.add_space(space::LARGE);
                lines_ui(ui, cx, job, [&song.title, &what, &how]);
            });
        });
    });
    focus_ring(ui, &response, rect, radius::LANE);
    let name = format!("{}, {what}, {how}", song.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.clicked() {
        cx.act(Action::Select(job.song));
    }
    if response.has_focus() {
        keys(ui, cx, &response, job);
    }
    match &job.state {
        JobState::Failed(problem) => response.on_hover_text(words::sentence(problem)),
        JobState::Waiting => response.on_hover_text(fl!(job_move_hint)),
        _ => response,
    }
}

/// Draws the title, the instruments with the model, and the state.
fn lines_ui(ui: &mut Ui, cx: &Cx<'_>, job: &Job, [title, what, how]: [&str; 3]) {
    let tokens = cx.tokens;
    let ink = if matches!(job.state, JobState::Failed(_)) { tokens.error } else { tokens.dim };
    stack(ui, size::TEXT_LINE + 2.0 * size::SMALL_LINE, |ui| {
        let strong = font(text::LANE, Weight::SemiBold);
        let small = font(text::SMALL, Weight::Regular);
        row(ui, size::TEXT_LINE, |ui| plain(ui, title, strong, tokens.text));
        row(ui, size::SMALL_LINE, |ui| plain(ui, what, small.clone(), tokens.dim));
        row(ui, size::SMALL_LINE, |ui| plain(ui, how, small, ink));
    });
}

/// Draws the actions of a job, in their order for the keyboard.
fn buttons_ui(ui: &mut Ui, cx: &mut Cx<'_>, job: &Job, title: &str) {
    let buttons = buttons(cx, job, title);
    let wide = buttons.len() as f32 * (size::ICON_BUTTON + space::TINY);
    let size = vec2(wide, size::ICON_BUTTON);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        for Way { icon, name, hint, action } in buttons {
            let (salt, ink) = (("job", job.id, icon), cx.tokens.text);
            let pressed = icon_button(ui, salt, size::ICON_BUTTON, icon, &name, None, ink);
            if pressed.on_hover_text(hint).clicked() {
                cx.act(action);
            }
        }
    });
}

/// The instruments in display order, and the model.
fn what_words(cx: &Cx<'_>, job: &Job) -> String {
    match &cx.state.requested(job)[..] {
        [] => job.model.clone(),
        stems => format!("{} · {}", words::capitalised(&words::stems(stems)), job.model),
    }
}

fn state_words(cx: &Cx<'_>, job: &Job) -> String {
    let percent = words::percent(job.fraction());
    match &job.state {
        JobState::Running => {
            let progress = cx.state.progress(job.song, cx.now);
            let left = progress.and_then(|progress| progress.seconds_left).map(words::time_left);
            let running = fl!(job_running, percent = &percent);
            left.map_or_else(|| running.clone(), |left| format!("{running} · {left}"))
        }
        JobState::Waiting => match cx.state.num_before(job.id) {
            0 => fl!(job_next).to_owned(),
            before => fl!(job_waiting, count = before),
        },
        JobState::Paused => fl!(job_paused, percent = &percent),
        JobState::Done => {
            let done = match job.seconds {
                0.0 => fl!(job_done_before).to_owned(),
                seconds => fl!(job_done, took = &words::took(seconds)),
            };
            let files = cx.state.tracks(job.id).iter().map(|file| words::file_name(file));
            let files: Vec<String> = files.collect();
            if files.is_empty() { done } else { format!("{done} · {}", words::list(&files)) }
        }
        JobState::Failed(problem) => fl!(job_failed, reason = words::problem(problem)),
        JobState::Cancelled => fl!(job_cancelled, percent = &percent),
    }
}

/// An action of a job, as a button.
struct Way {
    icon: Icon,
    name: String,
    hint: &'static str,
    action: Action,
}

fn buttons(cx: &Cx<'_>, job: &Job, title: &str) -> Vec<Way> {
    let way = |icon, word: &'static str, action| {
        let name = fl!(job_button, action = word, title = title);
        Way { icon, name, hint: word, action }
    };
    let id = job.id;
    let clear = || way(Icon::Close, fl!(job_clear), Action::ClearJobs(vec![id]));
    let cancel = || way(Icon::Close, fl!(job_cancel), Action::Cancel(id));
    match &job.state {
        JobState::Running => vec![way(Icon::Pause, fl!(job_pause), Action::PauseJob(id)), cancel()],
        JobState::Waiting => {
            let mut ways = Vec::new();
            if let Some((place, last)) = place(cx.state, job) {
                if place > 0 {
                    ways.push(way(Icon::ChevronUp, fl!(job_up), Action::MoveJob(id, place - 1)));
                }
                if place < last {
                    ways.push(way(
                        Icon::ChevronDown,
                        fl!(job_down),
                        Action::MoveJob(id, place + 1),
                    ));
                }
            }
            ways.push(way(Icon::Pause, fl!(job_pause), Action::PauseJob(id)));
            ways.push(cancel());
            ways
        }
        JobState::Paused => {
            vec![way(Icon::Play, fl!(job_continue), Action::ContinueJob(id)), cancel()]
        }
        JobState::Done => {
            let files = Way {
                hint: fl!(job_files_tooltip),
                ..way(Icon::Folder, fl!(job_files), Action::ShowTracks(id))
            };
            vec![files, clear()]
        }
        JobState::Failed(_) | JobState::Cancelled => {
            vec![way(Icon::Again, fl!(job_retry), Action::RetryJob(id)), clear()]
        }
    }
}

/// A waiting job's position in the queue, and the last position of the queue.
fn place(state: &ViewState, job: &Job) -> Option<(usize, usize)> {
    let place = state.queue().iter().position(|id| *id == job.id)?;
    Some((place, state.queue().len().saturating_sub(1)))
}

/// Moves a waiting job by Alt with an arrow.
fn keys(ui: &Ui, cx: &mut Cx<'_>, response: &Response, job: &Job) {
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    // Set one frame in advance: otherwise the focus has moved before Alt is seen.
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    // Alt first, because a plain arrow would also match with Alt held.
    let (up, down) =
        (pressed(Modifiers::ALT, Key::ArrowUp), pressed(Modifiers::ALT, Key::ArrowDown));
    let steps = [(Key::ArrowUp, FocusDirection::Up), (Key::ArrowDown, FocusDirection::Down)];
    for (key, direction) in steps {
        if pressed(Modifiers::NONE, key) {
            ui.memory_mut(|memory| memory.move_focus(direction));
        }
    }
    let Some((place, last)) = place(cx.state, job) else { return };
    if up && place > 0 {
        cx.act(Action::MoveJob(job.id, place - 1));
    }
    if down && place < last {
        cx.act(Action::MoveJob(job.id, place + 1));
    }
}
