//! The sheet of shortcuts, generated from the commands.

use egui::{Align2, Frame, Id, Key, Modal, Rect, ScrollArea, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    ui::{
        action::{Action, Group, UiCommand},
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            label,
        },
        words::written,
    },
};

/// Size of the sheet.
const SIZE: egui::Vec2 = vec2(760.0, 560.0);
/// Height of a line.
const LINE: f32 = 26.0;

/// Draws the sheet, if it is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    if !cx.ui_state.help {
        return;
    }
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let modal = Modal::new(Id::unique("shortcuts")).frame(frame).backdrop_color(cx.tokens.veil);
    let modal = modal.show(ui, |ui| {
        let room = ui.content_rect().size() - vec2(96.0, 96.0);
        let (rect, _) = ui.allocate_exact_size(SIZE.min(room), Sense::hover());
        contents(ui, cx, rect);
    });
    let is_new = is_new(ui);
    let is_asked_again = !is_new && ui.input(|input| input.key_pressed(Key::F1));
    if modal.should_close() || is_asked_again {
        cx.act(Action::CloseHelp);
    }
}

/// Whether the sheet was not drawn in the previous frame: the key that opened the sheet must not
/// close it again.
fn is_new(ui: &Ui) -> bool {
    let id = Id::unique("shortcuts shown in frame");
    let now = ui.cumulative_frame_nr();
    let before = ui.data_mut(|data| data.get_temp::<u64>(id));
    ui.data_mut(|data| data.insert_temp(id, now));
    before.is_none_or(|before| before + 1 < now)
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
    let tokens = cx.tokens;
    let title = Rect::from_min_size(rect.min, vec2(rect.width(), 30.0));
    let name = font(text::NAME, Weight::SemiBold);
    label(ui, "help title", title, Align2::LEFT_CENTER, fl!(help_title), name, tokens.text);
    let wide = width(ui, fl!(close), Kind::Quiet);
    let place = Rect::from_min_size(pos2(rect.right() - wide, rect.top() - 4.0), vec2(wide, 36.0));
    let close = button(ui, "help close", place, fl!(close), Kind::Quiet, true);
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
    if close.clicked() {
        cx.act(Action::CloseHelp);
    }
    let body = Rect::from_min_max(pos2(rect.left(), title.bottom() + 14.0), rect.max);
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(body).id_salt("help"));
    ScrollArea::vertical().auto_shrink(false).show(&mut child, |ui| {
        let columns = columns();
        let lines = |groups: &[Group]| -> usize {
            groups.iter().map(|group| verbs(*group).len() + 2).sum()
        };
        let high = columns.iter().map(|groups| lines(groups)).max().unwrap_or_default();
        let size = vec2(body.width(), high as f32 * LINE);
        let (place, _) = ui.allocate_exact_size(size, Sense::hover());
        let wide = (place.width() - 40.0) / columns.len() as f32;
        for (i, groups) in columns.iter().enumerate() {
            let left = place.left() + i as f32 * (wide + 40.0);
            let column = Rect::from_x_y_ranges(left..=left + wide, place.y_range());
            column_ui(ui, cx, column, groups);
        }
    });
}

/// The groups in two columns of about the same height.
fn columns() -> [Vec<Group>; 2] {
    let (left, right) =
        Group::ALL.into_iter().partition(|group| matches!(group, Group::Playing | Group::Window));
    [left, right]
}

/// The commands of a group that have a key. The first command for a numbered lane stands for all
/// lanes.
fn verbs(group: Group) -> Vec<UiCommand> {
    let is_meant = |verb: &UiCommand| {
        let is_first = !matches!(verb, UiCommand::Solo(1..) | UiCommand::Mute(1..));
        verb.group() == group && verb.spec().shortcut.is_some() && is_first
    };
    UiCommand::all().filter(is_meant).collect()
}

fn column_ui(ui: &Ui, cx: &Cx<'_>, column: Rect, groups: &[Group]) {
    let tokens = cx.tokens;
    let mut top = column.top();
    let mut line = || {
        let place = Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), LINE));
        top += LINE;
        place
    };
    for group in groups {
        let heading = match group {
            Group::Playing => fl!(help_playback),
            Group::Lanes => fl!(help_lanes),
            Group::Looking => fl!(help_view),
            Group::Songs => fl!(help_songs),
            Group::Window => fl!(help_window),
        };
        let strong = font(text::BODY, Weight::SemiBold);
        let place = line();
        label(
            ui,
            ("help group", heading),
            place,
            Align2::LEFT_CENTER,
            heading,
            strong,
            tokens.accent,
        );
        for verb in verbs(*group) {
            let place = line();
            let keys = keys(ui, verb);
            let (body, medium) =
                (font(text::BODY, Weight::Regular), font(text::SMALL, Weight::Medium));
            let text = verb.spec().tooltip;
            let end = label(
                ui,
                ("help keys", verb),
                place,
                Align2::RIGHT_CENTER,
                &keys,
                medium,
                tokens.text,
            );
            let place = place.with_max_x(end.left() - 12.0);
            label(ui, ("help", verb), place, Align2::LEFT_CENTER, text, body, tokens.dim);
        }
        line();
    }
}

/// The text of a command's keys.
fn keys(ui: &Ui, verb: UiCommand) -> String {
    let format = |shortcut| written(ui, shortcut);
    let all: Vec<String> = match verb {
        UiCommand::Solo(_) | UiCommand::Mute(_) => {
            let same: Vec<UiCommand> = UiCommand::all()
                .filter(|other| std::mem::discriminant(other) == std::mem::discriminant(&verb))
                .collect();
            let ends = [same.first(), same.last()].into_iter().flatten();
            let keys = ends.filter_map(|verb| verb.spec().shortcut).map(format);
            return keys.collect::<Vec<_>>().join(" – ");
        }
        // The alternatives are the same key on other keyboard layouts.
        UiCommand::ZoomIn => verb.shortcuts().take(1).map(format).collect(),
        _ => verb.shortcuts().map(format).collect(),
    };
    let both = |first: String, second: String| fl!(help_or, first = first, second = second);
    all.into_iter().reduce(both).unwrap_or_default()
}
