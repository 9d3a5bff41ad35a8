//! A drag on an X display: polls the pointer, sends the messages of [`Protocol`], and hands the
//! files over. Runs on the drag's thread, with its own connection and its own unmapped window.
//!
//! An X window grabs the pointer while a button pressed in it is held, so winit's window already
//! has the grab. This module therefore polls the pointer instead of grabbing it.
//!
//! Sources: "Drag-and-Drop Protocol for the X Window System", version 5; ICCCM section 2
//! (selections).

use std::{
    path::{self, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    errors::ReplyError,
    protocol::{
        Event,
        xproto::{
            Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask,
            KeyButMask, PropMode, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent,
            SelectionRequestEvent, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use super::{
    State,
    protocol::{Look, Message, OLDEST_VERSION, Protocol, Target, VERSION},
    uri,
};

/// Interval between two polls of the pointer.
const PERIOD: Duration = Duration::from_millis(16);

/// Longest wait for the server's time.
const TIME_WAIT: Duration = Duration::from_secs(2);

/// The keysym of Escape (`keysymdef.h`).
const ESCAPE: u32 = 0xff1b;

/// Maximum depth of nested windows.
const DEEPEST: usize = 64;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware, XdndProxy, XdndSelection, XdndActionCopy,
        XdndEnter, XdndPosition, XdndStatus, XdndLeave, XdndDrop, XdndFinished,
        URI_LIST: b"text/uri-list",
        UTF8_TEXT: b"text/plain;charset=utf-8",
        TEXT: b"text/plain",
        TARGETS, TIMESTAMP, INTEGER, _NET_WM_PID,
    }
}

/// Drags the files until the drag ends. Reports every change through `set_state` and returns the
/// final state.
///
/// # Errors
/// A file does not exist, or the connection to the display fails.
pub fn drag(
    files: &[PathBuf],
    is_cancelled: &dyn Fn() -> bool,
    set_state: &dyn Fn(State),
) -> anyhow::Result<State> {
    let source = Source::new(files)?;
    let mut protocol = Protocol::new();
    loop {
        while let Some(event) = source.connection.poll_for_event()? {
            source.take(&event, &mut protocol)?;
        }
        protocol.look(Instant::now(), source.look(is_cancelled())?);
        for (target, message) in protocol.outbox() {
            source.send(target, message)?;
        }
        source.connection.flush()?;
        match protocol.state() {
            state @ State::Dragging { .. } => set_state(state),
            end => {
                // Messages just sent could be lost if the connection closed now.
                source.connection.sync()?;
                return Ok(end);
            }
        }
        thread::sleep(PERIOD);
    }
}

/// The connection to the display, and the dragged data.
struct Source {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
    /// The window that owns the selection read by targets.
    window: Window,
    /// Start of the ownership, in server time.
    since: u32,
    escape: Option<u8>,
    uri_list: Vec<u8>,
    text: Vec<u8>,
}

impl Source {
    fn new(files: &[PathBuf]) -> anyhow::Result<Self> {
        let paths = files.iter().map(|file| {
            file.symlink_metadata()
                .and_then(|_| path::absolute(file))
                .with_context(|| format!("{} cannot be dragged", file.display()))
        });
        let paths = paths.collect::<anyhow::Result<Vec<_>>>()?;
        let (connection, screen) =
            x11rb::connect(None).context("could not connect to the X display")?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let root =
            connection.setup().roots.get(screen).context("the X display has no screen")?.root;
        let window = connection.generate_id()?;
        let aux =
            CreateWindowAux::new().override_redirect(1).event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        connection.create_window(0, window, root, -1, -1, 1, 1, 0, class, 0, &aux)?.check()?;
        let (uri_list, text) = (uri::uri_list(&paths), uri::plain_text(&paths));
        let escape = key_of(&connection, ESCAPE)?;
        let mut source = Self { connection, atoms, root, window, since: 0, escape, uri_list, text };
        source.own_selection()?;
        Ok(source)
    }

    /// Takes ownership of the selection. The server's time comes from the event of a property
    /// change.
    fn own_selection(&mut self) -> anyhow::Result<()> {
        let (connection, window) = (&self.connection, self.window);
        let (property, form) = (self.atoms.XdndSelection, self.atoms.INTEGER);
        connection.change_property32(PropMode::REPLACE, window, property, form, &[])?;
        connection.flush()?;
        let began = Instant::now();
        self.since = loop {
            match connection.poll_for_event()? {
                Some(Event::PropertyNotify(event)) if event.window == window => break event.time,
                _ if began.elapsed() > TIME_WAIT => anyhow::bail!("the X server does not respond"),
                _ => thread::sleep(Duration::from_millis(1)),
            }
        };
        connection.set_selection_owner(window, self.atoms.XdndSelection, self.since)?;
        let owner = connection.get_selection_owner(self.atoms.XdndSelection)?.reply()?.owner;
        anyhow::ensure!(owner == window, "another drag is in progress");
        Ok(())
    }

    fn look(&self, is_cancelled: bool) -> anyhow::Result<Look> {
        let pointer = self.connection.query_pointer(self.root)?.reply()?;
        let place = (pointer.root_x, pointer.root_y);
        Ok(Look {
            place,
            is_held: pointer.mask.contains(KeyButMask::BUTTON1),
            is_cancelled: is_cancelled || self.escape_is_down()?,
            target: self.target_at(pointer.root, place)?,
        })
    }

    /// Polled, because key events go to the focused window, which may belong to another program.
    fn escape_is_down(&self) -> anyhow::Result<bool> {
        let Some(key) = self.escape else { return Ok(false) };
        let keys = self.connection.query_keymap()?.reply()?.keys;
        Ok(keys.get(usize::from(key / 8)).is_some_and(|byte| byte & (1 << (key % 8)) != 0))
    }

    /// The outermost window at a place that accepts drops, otherwise the desktop.
    fn target_at(&self, root: Window, (x, y): (i16, i16)) -> anyhow::Result<Option<Target>> {
        let mut window = root;
        for _ in 0..DEEPEST {
            let asked = self.connection.translate_coordinates(root, window, x, y)?;
            // The window may vanish before the server replies.
            let Some(below) = if_there(asked.reply())? else { return Ok(None) };
            if below.child == x11rb::NONE {
                return self.target(root);
            }
            window = below.child;
            if self.is_own(window)? {
                return Ok(None);
            }
            if let Some(target) = self.target(window)? {
                return Ok(Some(target));
            }
        }
        Ok(None)
    }

    /// The window as a target, if it accepts drops.
    fn target(&self, window: Window) -> anyhow::Result<Option<Target>> {
        let proxy_of = |window| self.property(window, self.atoms.XdndProxy, AtomEnum::WINDOW);
        let receiver = match proxy_of(window)? {
            // A proxy that does not name itself is a leftover of a program that has exited.
            Some(proxy) if proxy_of(proxy)? == Some(proxy) => proxy,
            _ => window,
        };
        let version = self.property(receiver, self.atoms.XdndAware, AtomEnum::ANY)?;
        let version = version.filter(|&version| version >= OLDEST_VERSION);
        Ok(version.map(|version| Target { window, receiver, version: version.min(VERSION) }))
    }

    /// Whether the window belongs to this program, which accepts no drags from itself.
    fn is_own(&self, window: Window) -> anyhow::Result<bool> {
        let process = self.property(window, self.atoms._NET_WM_PID, AtomEnum::CARDINAL)?;
        Ok(process == Some(process::id()))
    }

    /// The first number of a property.
    fn property(&self, of: Window, name: Atom, kind: AtomEnum) -> anyhow::Result<Option<u32>> {
        let asked = self.connection.get_property(false, of, name, kind, 0, 1)?;
        let property = if_there(asked.reply())?;
        Ok(property.and_then(|property| property.value32().and_then(|mut values| values.next())))
    }

    fn send(&self, target: Target, message: Message) -> anyhow::Result<()> {
        let atoms = &self.atoms;
        let (kind, rest) = match message {
            Message::Enter => {
                let types = [atoms.URI_LIST, atoms.UTF8_TEXT, atoms.TEXT];
                (atoms.XdndEnter, [target.version << 24, types[0], types[1], types[2]])
            }
            Message::Position((x, y)) => {
                let place = u32::from(x as u16) << 16 | u32::from(y as u16);
                (atoms.XdndPosition, [0, place, self.since, atoms.XdndActionCopy])
            }
            Message::Leave => (atoms.XdndLeave, [0; 4]),
            Message::Drop => (atoms.XdndDrop, [0, self.since, 0, 0]),
        };
        let data = [self.window, rest[0], rest[1], rest[2], rest[3]];
        let event = ClientMessageEvent::new(32, target.window, kind, data);
        // A vanished target is not an error: the next poll finds another window below the pointer.
        self.connection.send_event(false, target.receiver, EventMask::NO_EVENT, event)?;
        Ok(())
    }

    fn take(&self, event: &Event, protocol: &mut Protocol) -> anyhow::Result<()> {
        match event {
            Event::ClientMessage(message) if message.format == 32 => {
                let [from, flags, ..] = message.data.as_data32();
                if message.type_ == self.atoms.XdndStatus {
                    protocol.status(from, flags & 1 != 0);
                } else if message.type_ == self.atoms.XdndFinished {
                    protocol.finished(from, flags & 1 != 0);
                }
            }
            Event::SelectionRequest(request) => {
                protocol.asked(Instant::now());
                self.hand_over(request)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the requested data to the requestor's property and notifies the requestor, or
    /// notifies a refusal.
    fn hand_over(&self, request: &SelectionRequestEvent) -> anyhow::Result<()> {
        let (atoms, connection) = (&self.atoms, &self.connection);
        let name = if request.property == x11rb::NONE { request.target } else { request.property };
        let to = request.requestor;
        let put = |kind: Atom, values: &[u32]| {
            connection.change_property32(PropMode::REPLACE, to, name, kind, values)
        };
        // Larger data would need incremental transfer, and no song has so many stems.
        let most = connection.maximum_request_bytes() / 2;
        let mut given = true;
        if request.selection != atoms.XdndSelection {
            given = false;
        } else if request.target == atoms.TARGETS {
            let kinds =
                [atoms.TARGETS, atoms.TIMESTAMP, atoms.URI_LIST, atoms.UTF8_TEXT, atoms.TEXT];
            put(AtomEnum::ATOM.into(), &kinds)?;
        } else if request.target == atoms.TIMESTAMP {
            put(atoms.INTEGER, &[self.since])?;
        } else if let Some(bytes) =
            self.content(request.target).filter(|content| content.len() <= most)
        {
            connection.change_property8(PropMode::REPLACE, to, name, request.target, bytes)?;
        } else {
            given = false;
        }
        let notification = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: to,
            selection: request.selection,
            target: request.target,
            property: if given { name } else { x11rb::NONE },
        };
        connection.send_event(false, to, EventMask::NO_EVENT, notification)?;
        connection.flush()?;
        Ok(())
    }

    fn content(&self, kind: Atom) -> Option<&[u8]> {
        match kind {
            kind if kind == self.atoms.URI_LIST => Some(&self.uri_list),
            kind if kind == self.atoms.UTF8_TEXT || kind == self.atoms.TEXT => Some(&self.text),
            _ => None,
        }
    }
}

/// The reply, or `None` if the window no longer exists.
fn if_there<T>(reply: Result<T, ReplyError>) -> Result<Option<T>, ReplyError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keycode of a keysym, if the keyboard has it.
fn key_of(connection: &RustConnection, symbol: u32) -> anyhow::Result<Option<u8>> {
    let (first, last) = (connection.setup().min_keycode, connection.setup().max_keycode);
    let count = last.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let per_key = usize::from(mapping.keysyms_per_keycode).max(1);
    let at = mapping.keysyms.chunks(per_key).position(|symbols| symbols.contains(&symbol));
    Ok(at.and_then(|at| u8::try_from(usize::from(first) + at).ok()))
}
