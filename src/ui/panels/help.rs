//! The sheet of shortcuts, generated from the commands.

use egui::{Align, Id, Key, Layout, ScrollArea, Ui, Vec2};

use super::{Cx, modal};
use crate::{
    i18n::fl,
    ui::{
        action::{Action, Group, UiCommand},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            label,
            layout::{rest, row, row_from_right},
            lines,
        },
        words::written,
    },
};

/// Maximum rows of a command's description.
const TOOLTIP_ROWS: usize = 3;

/// Draws the sheet, if it is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    if !cx.ui_state.help {
        return;
    }
    let modal = modal::bare(ui, "shortcuts").show(ui, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        ui.set_max_size(modal::room(ui).min(size::HELP.into()));
        ui.take_available_space();
        contents(ui, cx);
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

fn contents(ui: &mut Ui, cx: &mut Cx<'_>) {
    row_from_right(ui, size::BUTTON, |ui| {
        let close = button(ui, "help close", size::BUTTON, fl!(close), Kind::Quiet, true);
        if ui.memory(|memory| memory.focused().is_none()) {
            close.request_focus();
        }
        if close.clicked() {
            cx.act(Action::CloseHelp);
        }
        rest(ui, |ui| modal::title(ui, cx, fl!(help_title)));
    });
    ui.add_space(space::SMALL);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = space::COLUMNS;
        ui.columns_const(|columns: &mut [Ui; 2]| {
            for (ui, groups) in columns.iter_mut().zip(self::columns()) {
                for group in groups {
                    group_ui(ui, cx, group);
                }
            }
        });
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

/// Draws the heading and the commands of a group, with an empty line below.
fn group_ui(ui: &mut Ui, cx: &Cx<'_>, group: Group) {
    let tokens = cx.tokens;
    let heading = match group {
        Group::Playing => fl!(help_playback),
        Group::Lanes => fl!(help_lanes),
        Group::Looking => fl!(help_view),
        Group::Songs => fl!(help_songs),
        Group::Window => fl!(help_window),
    };
    let strong = font(text::BODY, Weight::SemiBold);
    row(ui, size::HELP_LINE, |ui| label(ui, heading, strong, tokens.accent));
    for verb in verbs(group) {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = space::MEDIUM;
            let (small, body) =
                (font(text::SMALL, Weight::Medium), font(text::BODY, Weight::Regular));
            lines(ui, size::HELP_LINE, &keys(ui, verb), small, tokens.text, 1);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let tooltip = verb.spec().tooltip;
                lines(ui, size::HELP_LINE, tooltip, body, tokens.dim, TOOLTIP_ROWS);
            });
        });
    }
    ui.add_space(size::HELP_LINE);
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
