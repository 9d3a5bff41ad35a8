//! A program that drops a file on a window: the source side of XDND, version 5 (freedesktop.org,
//! "Drag-and-Drop Protocol for the X Window System").

use std::{
    path::Path,
    time::{Duration, Instant},
};

use x11rb::{
    CURRENT_TIME,
    connection::Connection as _,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
            SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window,
            WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

const PATIENCE: Duration = Duration::from_secs(10);

struct Source {
    x: RustConnection,
    target: Window,
    uris: Vec<u8>,
    selection: u32,
    uri_list: u32,
}

/// Drops a file on `target`; returns whether the target accepted it.
pub fn drop_file(display: &str, target: Window, file: &Path) -> bool {
    let (x, screen) = x11rb::connect(Some(display)).unwrap();
    let root = x.setup().roots[screen].root;
    let window = x.generate_id().unwrap();
    let (class, aux) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
    x.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
    let path = file.to_str().unwrap().replace('%', "%25").replace(' ', "%20");
    let uris = format!("file://{path}\r\n").into_bytes();
    let atom = |name: &str| x.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let (selection, uri_list) = (atom("XdndSelection"), atom("text/uri-list"));
    x.set_selection_owner(window, selection, CURRENT_TIME).unwrap();
    let middle = x.get_geometry(target).unwrap().reply().unwrap();
    let place = u32::from(middle.width / 2) << 16 | u32::from(middle.height / 2);
    let copy = atom("XdndActionCopy");
    let source = Source { x, target, uris, selection, uri_list };
    source.send("XdndEnter", [window, 5 << 24, uri_list, 0, 0]);
    source.send("XdndPosition", [window, 0, place, CURRENT_TIME, copy]);
    if source.answer("XdndStatus") != Some(true) {
        return false;
    }
    source.send("XdndDrop", [window, 0, CURRENT_TIME, 0, 0]);
    source.answer("XdndFinished") == Some(true)
}

impl Source {
    fn atom(&self, name: &str) -> u32 {
        self.x.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    fn send(&self, name: &str, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, self.target, self.atom(name), data);
        self.x.send_event(false, self.target, EventMask::NO_EVENT, message).unwrap();
        self.x.flush().unwrap();
    }

    /// Serves the target until it sends this message; returns whether the answer is yes.
    fn answer(&self, name: &str) -> Option<bool> {
        let (wanted, until) = (self.atom(name), Instant::now() + PATIENCE);
        while Instant::now() < until {
            match self.x.poll_for_event().unwrap() {
                Some(Event::SelectionRequest(request)) => self.serve(request),
                Some(Event::ClientMessage(message)) if message.type_ == wanted => {
                    return Some(message.data.as_data32()[1] & 1 == 1);
                }
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
        None
    }

    fn serve(&self, request: SelectionRequestEvent) {
        assert_eq!(request.selection, self.selection);
        let is_known = request.target == self.uri_list;
        if is_known {
            let to = (request.requestor, request.property);
            self.x
                .change_property8(PropMode::REPLACE, to.0, to.1, self.uri_list, &self.uris)
                .unwrap();
        }
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if is_known { request.property } else { AtomEnum::NONE.into() },
        };
        self.x.send_event(false, request.requestor, EventMask::NO_EVENT, answer).unwrap();
        self.x.flush().unwrap();
    }
}
