//! A drag on an X display: looks where the pointer is, sends what [`Protocol`] says, hands the
//! files over. On a connection of its own, with an unmapped window of its own, on the drag's thread.
//!
//! winit's window has the pointer grabbed as long as the button is held, as every window has in
//! which a button goes down. So the pointer is not grabbed again, but asked for.
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

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(16);

/// How long the server may take to tell the time.
const TIME_WAIT: Duration = Duration::from_secs(2);

/// The symbol of the Escape key (`keysymdef.h`).
const ESCAPE: u32 = 0xff1b;

/// No window is as deep inside others as this.
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

/// Drags the files until they are dropped or not; tells every change on the way, and gives the end.
///
/// # Errors
/// When a file is not there, or the display cannot be talked to.
pub fn drag(
    files: &[PathBuf],
    is_cancelled: &dyn Fn() -> bool,
    tell: &dyn Fn(State),
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
            state @ State::Dragging { .. } => tell(state),
            end => {
                // What was sent last would be lost with a connection that closes too soon.
                source.connection.sync()?;
                return Ok(end);
            }
        }
        thread::sleep(PERIOD);
    }
}

/// The display, and what is dragged over it.
struct Source {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
    /// Owns the selection that targets read.
    window: Window,
    /// Since when, in the server's time.
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
        let (connection, screen) = x11rb::connect(None).context("no X display")?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let root = connection.setup().roots.get(screen).context("no screen")?.root;
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

    /// Takes the selection as of now. The server's time is what an event has that it sends.
    fn own_selection(&mut self) -> anyhow::Result<()> {
        let (connection, window) = (&self.connection, self.window);
        let (property, form) = (self.atoms.XdndSelection, self.atoms.INTEGER);
        connection.change_property32(PropMode::REPLACE, window, property, form, &[])?;
        connection.flush()?;
        let began = Instant::now();
        self.since = loop {
            match connection.poll_for_event()? {
                Some(Event::PropertyNotify(event)) if event.window == window => break event.time,
                _ if began.elapsed() > TIME_WAIT => anyhow::bail!("the X server does not answer"),
                _ => thread::sleep(Duration::from_millis(1)),
            }
        };
        connection.set_selection_owner(window, self.atoms.XdndSelection, self.since)?;
        let owner = connection.get_selection_owner(self.atoms.XdndSelection)?.reply()?.owner;
        anyhow::ensure!(owner == window, "another drag goes on");
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

    /// Asked for, because the keys go to the window that has them, which may be another's.
    fn escape_is_down(&self) -> anyhow::Result<bool> {
        let Some(key) = self.escape else { return Ok(false) };
        let keys = self.connection.query_keymap()?.reply()?.keys;
        Ok(keys.get(usize::from(key / 8)).is_some_and(|byte| byte & (1 << (key % 8)) != 0))
    }

    /// The outermost window at a place that takes drops, or else the desktop.
    fn target_at(&self, root: Window, (x, y): (i16, i16)) -> anyhow::Result<Option<Target>> {
        let mut window = root;
        for _ in 0..DEEPEST {
            let asked = self.connection.translate_coordinates(root, window, x, y)?;
            // A window may go while it is asked.
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

    /// The window as a target, if it is one.
    fn target(&self, window: Window) -> anyhow::Result<Option<Target>> {
        let proxy_of = |window| self.property(window, self.atoms.XdndProxy, AtomEnum::WINDOW);
        let receiver = match proxy_of(window)? {
            // One that does not name itself was left behind by a program that is gone.
            Some(proxy) if proxy_of(proxy)? == Some(proxy) => proxy,
            _ => window,
        };
        let version = self.property(receiver, self.atoms.XdndAware, AtomEnum::ANY)?;
        let version = version.filter(|&version| version >= OLDEST_VERSION);
        Ok(version.map(|version| Target { window, receiver, version: version.min(VERSION) }))
    }

    /// Whether it is this program's: files are not dragged out of it into it.
    fn is_own(&self, window: Window) -> anyhow::Result<bool> {
        let process = self.property(window, self.atoms._NET_WM_PID, AtomEnum::CARDINAL)?;
        Ok(process == Some(process::id()))
    }

    /// A property's first number.
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
        // No error if the target is gone: then something else is below the pointer the next time.
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

    /// Puts what was asked for into the asking window's property, and says so; or says that there
    /// is nothing.
    fn hand_over(&self, request: &SelectionRequestEvent) -> anyhow::Result<()> {
        let (atoms, connection) = (&self.atoms, &self.connection);
        let name = if request.property == x11rb::NONE { request.target } else { request.property };
        let to = request.requestor;
        let put = |kind: Atom, values: &[u32]| {
            connection.change_property32(PropMode::REPLACE, to, name, kind, values)
        };
        // More than this would have to go in parts, and no song has so many stems.
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
        let told = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: to,
            selection: request.selection,
            target: request.target,
            property: if given { name } else { x11rb::NONE },
        };
        connection.send_event(false, to, EventMask::NO_EVENT, told)?;
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

/// The reply, or nothing where the window is not there (any more).
fn if_there<T>(reply: Result<T, ReplyError>) -> Result<Option<T>, ReplyError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The key with this symbol, if the keyboard has one.
fn key_of(connection: &RustConnection, symbol: u32) -> anyhow::Result<Option<u8>> {
    let (first, last) = (connection.setup().min_keycode, connection.setup().max_keycode);
    let count = last.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let per_key = usize::from(mapping.keysyms_per_keycode).max(1);
    let at = mapping.keysyms.chunks(per_key).position(|symbols| symbols.contains(&symbol));
    Ok(at.and_then(|at| u8::try_from(usize::from(first) + at).ok()))
}
