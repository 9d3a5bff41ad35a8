//! All lengths of the window, in points: sizes of text and parts, gaps, margins, and radii. Panels lay
//! out their parts with them. Constants alone.

/// Text sizes in points.
pub mod text {
    /// A song's title.
    pub const TITLE: f32 = 26.0;
    /// The program's name and headings of the empty window.
    pub const NAME: f32 = 18.0;
    /// The time of the play head.
    pub const TIME: f32 = 17.0;
    /// A lane's name and buttons.
    pub const LANE: f32 = 14.0;
    /// Running text.
    pub const BODY: f32 = 13.0;
    /// Secondary lines.
    pub const SMALL: f32 = 12.0;
    /// The ruler and hints.
    pub const TINY: f32 = 11.5;
}

/// Corner radii in points.
pub mod radius {
    /// A checkbox.
    pub const TICK: u8 = 5;
    /// Fields, rows and small buttons.
    pub const FIELD: u8 = 8;
    /// Rows of the library, and covers.
    pub const ROW: u8 = 10;
    /// Lanes.
    pub const LANE: u8 = 12;
    /// Cards and large buttons.
    pub const CARD: u8 = 14;
    /// The drop zone of the empty window.
    pub const ZONE: u8 = 20;
}

/// Gaps between parts, in points.
pub mod space {
    /// Between the buttons of the transport.
    pub const HAIR: f32 = 2.0;
    /// Between lines of text.
    pub const LINES: f32 = 3.0;
    /// Between parts that belong together.
    pub const TINY: f32 = 4.0;
    /// Between notices, between a heading and its text, and between a small icon and its text.
    pub const CLOSE: f32 = 6.0;
    /// Between small parts.
    pub const SMALL: f32 = 8.0;
    /// Between buttons.
    pub const BUTTONS: f32 = 10.0;
    /// Between a picture and its text.
    pub const MEDIUM: f32 = 12.0;
    /// Between links in a row of other controls, and above the buttons of a dialog.
    pub const LINKS: f32 = 14.0;
    /// Between links, and between a row and the next.
    pub const LARGE: f32 = 16.0;
    /// Between groups.
    pub const GROUPS: f32 = 20.0;
    /// Between columns.
    pub const COLUMNS: f32 = 40.0;
}

/// Margins around the contents of a surface or a page, in points.
pub mod margin {
    use egui::Margin;

    const fn of(left: i8, right: i8, top: i8, bottom: i8) -> Margin {
        Margin { left, right, top, bottom }
    }

    /// The head of the library.
    pub const LIBRARY_HEAD: Margin = of(20, 12, 16, 8);
    /// Parts of the library, from its edges.
    pub const LIBRARY: Margin = of(16, 16, 0, 0);
    /// The drop zone, from the edges of the library and from its other parts.
    pub const ZONE: Margin = of(16, 16, 8, 8);
    /// Text in the drop zone.
    pub const IN_ZONE: Margin = of(8, 8, 10, 10);
    /// The actions for marked songs.
    pub const MARKED: Margin = of(12, 8, 6, 6);
    /// A line of the library that is clicked as a whole, from the edges of the library.
    pub const LINE: Margin = of(8, 8, 4, 4);
    /// Text in such a line.
    pub const IN_LINE: Margin = of(12, 12, 0, 0);
    /// The background of a row in the library.
    pub const ROW: Margin = of(8, 8, 1, 1);
    /// The contents of a row in the library.
    pub const IN_ROW: Margin = of(18, 16, 0, 0);
    /// The collapsed library, at its ends.
    pub const STRIP: Margin = of(0, 1, 24, 8);
    /// The border that separates the library.
    pub const BORDER: Margin = of(0, 1, 0, 0);
    /// The line above the songs.
    pub const LIST_HEAD: Margin = of(16, 16, 0, 6);
    /// The sort order, within its button.
    pub const SORT: Margin = of(4, 0, 0, 0);
    /// The search field, beside its icon.
    pub const SEARCH: Margin = of(10, 12, 0, 0);
    /// A notice.
    pub const NOTICE: Margin = of(10, 6, 5, 5);
    /// The text of a notice.
    pub const IN_NOTICE: Margin = of(0, 0, 4, 4);
    /// A notice of one line with a link.
    pub const UNDO: Margin = of(12, 8, 0, 0);
    /// A notice of two lines with a link.
    pub const TASK: Margin = of(12, 10, 7, 7);
    /// The song's area.
    pub const SONG: Margin = of(28, 28, 24, 12);
    /// The empty window.
    pub const EMPTY: Margin = Margin::same(28);
    /// The progress of a song's job.
    pub const PROGRESS: Margin = of(18, 17, 9, 9);
    /// A card.
    pub const CARD: Margin = Margin::same(18);
    /// A page, from the edges of the window.
    pub const PAGE: Margin = of(28, 28, 24, 12);
    /// The settings, beside their scrollbar.
    pub const SETTINGS: Margin = of(0, 16, 0, 16);
    /// A dialog.
    pub const DIALOG: Margin = Margin::same(24);
    /// A step or a stem in the form for a chain.
    pub const CHAIN_CARD: Margin = Margin::same(12);
    /// The card of an export.
    pub const EXPORT_CARD: Margin = of(18, 14, 5, 14);
    /// The state of a lane, from the edges of its waveform.
    pub const LANE_STATE: Margin = of(6, 6, 2, 2);
    /// The text of this state.
    pub const IN_LANE_STATE: Margin = of(4, 4, 1, 1);
    /// The notice on a dragged lane, from the edges of its waveform.
    pub const PREPARING: Margin = Margin::same(6);
    /// The text of this notice.
    pub const IN_PREPARING: Margin = of(10, 10, 4, 4);
    /// The contents of a job.
    pub const JOB: Margin = of(16, 12, 0, 0);
    /// Notices and cards over a page, from its edges.
    pub const OVERLAY: Margin = of(28, 28, 12, 12);
}

/// Lengths in points; all other lengths are multiples of 4.
pub mod size {
    /// Edge of the icon beside a small text.
    pub const ICON_TINY: f32 = 10.0;
    /// Edge of a small icon, such as one in a menu's button.
    pub const ICON_SMALL: f32 = 12.0;
    /// Edge of an icon beside text.
    pub const ICON: f32 = 16.0;
    /// Edge of the icon in a line of small text.
    pub const ICON_TEXT: f32 = 14.0;
    /// Size of the program's mark in the empty window.
    pub const MARK_LARGE: [f32; 2] = [64.0, 68.0];
    /// Minimum height of the empty window's drop zone in which its mark is shown.
    pub const ZONE_WITH_MARK: f32 = 300.0;
    /// Space below its contents, so that they lie above the middle, where the eye expects them.
    pub const ZONE_BELOW: f32 = 60.0;
    /// Minimum size of the button that adds files to the empty window.
    pub const ADD_FILES: [f32; 2] = [176.0, 44.0];
    /// Minimum size of the button that starts a separation.
    pub const PROCESS: [f32; 2] = [148.0, 48.0];
    /// Minimum and maximum width of the next step of a song.
    pub const NEXT: [f32; 2] = [260.0, 420.0];
    /// The share of the width for the next step of a song.
    pub const NEXT_SHARE: f32 = 0.44;
    /// Height of a line in the progress of a song's job.
    pub const PROGRESS_LINE: f32 = 21.0;
    /// Edge of a button in the progress of a song's job.
    pub const PROGRESS_BUTTON: f32 = 34.0;
    /// Height of a bar that shows progress.
    pub const PROGRESS_BAR: f32 = 6.0;
    /// Height of a button.
    pub const BUTTON: f32 = 36.0;
    /// Maximum width of a page.
    pub const PAGE: f32 = 960.0;
    /// Width of the names of settings.
    pub const SETTING_NAME: f32 = 168.0;
    /// Width of a dialog without its margins.
    pub const DIALOG: f32 = 480.0;
    /// Height of a dialog's title.
    pub const DIALOG_TITLE: f32 = 26.0;
    /// Height of a field in a dialog.
    pub const DIALOG_FIELD: f32 = 38.0;
    /// Height of a dialog's buttons.
    pub const DIALOG_BUTTON: f32 = 42.0;
    /// Maximum size of the sheet of shortcuts.
    pub const HELP: [f32; 2] = [760.0, 560.0];
    /// Height of a line in the sheet of shortcuts.
    pub const HELP_LINE: f32 = 26.0;
    /// Height of a job.
    pub const JOB: f32 = 72.0;
    /// Edge of the cover of a job.
    pub const JOB_COVER: f32 = 44.0;
    /// Edge of a button of the transport.
    pub const TRANSPORT_CONTROL: f32 = 34.0;
    /// Edge of the button that plays.
    pub const PLAY: f32 = 44.0;
    /// Minimum width of the time in the transport.
    pub const TIME: f32 = 118.0;
    /// Edge of a dial.
    pub const DIAL: f32 = 24.0;
    /// Size of the figure beside the dial of the speed.
    pub const SPEED: [f32; 2] = [44.0, 20.0];
    /// Size of the figure beside the dial of the key.
    pub const KEY: [f32; 2] = [22.0, 20.0];
    /// Size of the figure beside the dial of the cents.
    pub const CENTS: [f32; 2] = [40.0, 20.0];
    /// Size of the choice between mix and original.
    pub const MONITOR: [f32; 2] = [148.0, 32.0];
    /// Size of the fader of the volume.
    pub const VOLUME: [f32; 2] = [96.0, 24.0];
    /// Size of the level of the transport.
    pub const LEVEL: [f32; 2] = [66.0, 20.0];
    /// Minimum size of the button that exports.
    pub const EXPORT: [f32; 2] = [116.0, 42.0];
    /// Width of the dialog of an export, without its margins.
    pub const EXPORT_DIALOG: f32 = 704.0;
    /// Height of the rows of the dialog of an export; taller rows scroll.
    pub const EXPORT_ROWS: f32 = 450.0;
    /// The height for which the rows have space, or scroll.
    pub const EXPORT_ROWS_LEAST: f32 = 430.0;
    /// Height of a row in the dialog of an export.
    pub const EXPORT_ROW: f32 = 32.0;
    /// Width of the names of these rows.
    pub const EXPORT_NAME: f32 = 104.0;
    /// Width of a menu in the form for a chain.
    pub const CHAIN_MENU: f32 = 220.0;
    /// Height of a stem to subtract in this form.
    pub const CHAIN_CHIP: f32 = 30.0;
    /// Width of the field for a loudness.
    pub const LOUDNESS: f32 = 84.0;
    /// Height of a button that inserts a placeholder.
    pub const CHIP: f32 = 24.0;
    /// Height of a line in the preview of the names.
    pub const PREVIEW_LINE: f32 = 17.0;
    /// The minimum number of lines in the preview of the names.
    pub const PREVIEW_LINES: f32 = 3.0;
    /// Height of the buttons in the dialog of an export.
    pub const EXPORT_BUTTON: f32 = 40.0;
    /// Maximum width of an export's card.
    pub const EXPORT_CARD: f32 = 460.0;
    /// The height below which no further card is shown.
    pub const EXPORT_CARD_LEAST: f32 = 64.0;
    /// Height of a button on a card.
    pub const CARD_BUTTON: f32 = 30.0;
    /// Minimum space between the two ends of the transport.
    pub const TRANSPORT_FREE: f32 = 28.0;
    /// Edge of a large icon beside a control.
    pub const ICON_LARGE: f32 = 18.0;
    /// Height of a title.
    pub const TITLE: f32 = 34.0;
    /// Height of a line of small text.
    pub const SMALL_LINE: f32 = 18.0;
    /// Size of the program's mark.
    pub const MARK: [f32; 2] = [22.0, 24.0];
    /// Size of the mark of a separated song.
    pub const STEMS_MARK: [f32; 2] = [18.0, 16.0];
    /// Edge of a round button with an icon.
    pub const ICON_BUTTON: f32 = 32.0;
    /// Edge of a small round button, such as one that dismisses a notice.
    pub const ICON_BUTTON_SMALL: f32 = 24.0;
    /// Height of a link.
    pub const LINK: f32 = 24.0;
    /// Minimum width of the link that undoes a removal.
    pub const UNDO: f32 = 60.0;
    /// Height of a notice of one line.
    pub const NOTICE: f32 = 40.0;
    /// Maximum width of notices beside the collapsed library.
    pub const NOTICES: f32 = 360.0;
    /// Height of a line of text in a list.
    pub const LINE: f32 = 19.0;
    /// Height of a line of text, or of a row of links.
    pub const TEXT_LINE: f32 = 20.0;
    /// Height of the head of the library.
    pub const LIBRARY_HEAD: f32 = 40.0;
    /// Height of a field in the library.
    pub const LIBRARY_FIELD: f32 = 34.0;
    /// Size of the sort order above the list.
    pub const SORT: [f32; 2] = [220.0, 20.0];
    /// Height of a line of the library that is clicked as a whole.
    pub const LIBRARY_LINE: f32 = 36.0;
    /// Edge of the cover in a row of the library.
    pub const ROW_COVER: f32 = 40.0;
    /// Edge of the indicator in a row of the library.
    pub const ROW_SIGN: f32 = 20.0;
    /// Width of the library.
    pub const LIBRARY: f32 = 288.0;
    /// Width of the collapsed library.
    pub const LIBRARY_FOLDED: f32 = 56.0;
    /// Minimum width of the song's area; below it, the library is collapsed.
    pub const SONG_MIN: f32 = 520.0;
    /// Height of the transport.
    pub const TRANSPORT: f32 = 72.0;
    /// Margin of the song's area.
    pub const MARGIN: f32 = 28.0;
    /// Edge of the song's cover.
    pub const COVER: f32 = 92.0;
    /// Height of a song in the library.
    pub const ROW: f32 = 58.0;
    /// Width of a lane's head, to the left of its waveform.
    pub const LANE_HEAD: f32 = 232.0;
    /// Distance between the left edges of an instrument and of its parts.
    pub const PART: f32 = 20.0;
    /// Distance between the left edges of a lane and of those of its parts.
    pub const LANE_PART: f32 = 12.0;
    /// Width of the name of an instrument before its parts.
    pub const WHOLE: f32 = 72.0;
    /// Height that is left for quality and lanes below the parts of instruments.
    pub const BELOW_PARTS: f32 = 260.0;
    /// Width of the arrow at an instrument with parts.
    pub const ARROW: f32 = 28.0;
    /// Width of the arrow in the head of a lane.
    pub const LANE_ARROW: f32 = 16.0;
    /// Width of the bar at the left of a lane.
    pub const LANE_BAR: f32 = 4.0;
    /// Width of the level in a lane's head.
    pub const LANE_METER: f32 = 10.0;
    /// Height of the row with a lane's name.
    pub const LANE_NAME: f32 = 24.0;
    /// Width of the figure of a lane's gain.
    pub const LANE_GAIN: f32 = 54.0;
    /// Minimum and maximum distance of the two rows of a lane's head from its middle.
    pub const LANE_STEP: [f32; 2] = [15.0, 19.0];
    /// This distance as a share of the lane's height.
    pub const LANE_STEP_SHARE: f32 = 0.26;
    /// Width of the part of a lane's head that drags its file.
    pub const LANE_DRAG: f32 = 112.0;
    /// Height of the original's lane.
    pub const ORIGINAL: f32 = 58.0;
    /// Height of the original's lane while it is the only one.
    pub const ALONE: f32 = 132.0;
    /// Maximum height of a stem's lane.
    pub const STEM: f32 = 152.0;
    /// Minimum height of a stem's lane; below it, the lanes scroll.
    pub const STEM_MIN: f32 = 64.0;
    /// Gap between two lanes.
    pub const GAP: f32 = 8.0;
    /// Height of the ruler.
    pub const RULER: f32 = 30.0;
    /// Width and pitch of one bar of a waveform.
    pub const BAR: (f32, f32) = (2.0, 3.0);
    /// The window's initial size.
    pub const WINDOW: [f32; 2] = [1280.0, 800.0];
    /// The window's minimum size.
    pub const WINDOW_MIN: [f32; 2] = [980.0, 600.0];
}
