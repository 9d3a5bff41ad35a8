//! Doubtful pages: what their time, flags and sizes must have been, by the pages around them, so that only
//! the packets that are really damaged are lost or sound odd.
//!
//! A page states the time at its end, and its packets state how long they are; the page before and the one
//! behind say the same a second time. Follows one stream page by page. Decodes nothing. Runs on the thread
//! that decodes.

use std::ops::Range;

use super::{
    heads::{self, Codec, Head, Modes},
    page::{CONTINUED, FIRST, FLAGS, GRANULE, LAST, Page, Trust, VERSION},
};
use crate::engine::audio::decode::flac_frame;

/// Time at the end of a page in which no packet ends.
const NO_TIME: u64 = u64::MAX;

/// A stream up to one of its pages.
pub struct Line {
    codec: Codec,
    /// Time at the end of the page; `None` behind missing pages.
    end: Option<u64>,
    /// Whether a packet goes on in the next page; `None` behind missing pages.
    goes_on: Option<bool>,
    /// The first bytes of that packet.
    carried: Vec<u8>,
    /// The head of the last packet, and its first bytes.
    last: Option<Head>,
    usual: Vec<u8>,
}

/// A packet that ends in a page.
struct Packet {
    /// Where it begins in the page's bytes, unless it begins in another.
    at: Option<usize>,
    /// Its bytes in this page.
    length: usize,
    start: Vec<u8>,
    head: Option<Head>,
}

impl Line {
    /// The beginning of a stream of this codec.
    pub fn new(codec: Codec) -> Self {
        let (carried, usual) = (Vec::new(), Vec::new());
        Self { codec, end: None, goes_on: None, carried, last: None, usual }
    }

    /// Pages are missing from here on.
    pub fn interrupt(&mut self) {
        (self.end, self.goes_on, self.last) = (None, None, None);
        self.carried.clear();
    }

    /// Takes a page as it is shown. Returns the time that its packets take, where it shows that.
    pub fn take(&mut self, page: &Page) -> Option<Range<u64>> {
        let (packets, carried) = self.packets(page, &self.carried);
        let time = if packets.is_empty() {
            self.end.map(|end| end..end + 1)
        } else {
            let end = page.granule();
            let total = self.total(&packets, self.last).unwrap_or(0);
            let start = self.end.unwrap_or(end.saturating_sub(total));
            self.end = Some(end);
            Some(start..end)
        };
        if let Some(packet) = packets.iter().rfind(|packet| packet.head.is_some()) {
            self.usual.clone_from(&packet.start);
        }
        if let Some(packet) = packets.last() {
            self.last = packet.head;
        }
        (self.carried, self.goes_on) = (carried, Some(page.goes_on()));
        time
    }

    /// Puts a doubtful page right, of which `next` is the page behind it.
    pub fn mend(&self, page: &mut Page, next: Option<&Page>) {
        let mut flags = page.flags() & !FIRST;
        if let Some(goes_on) = self.goes_on {
            flags = flags & !CONTINUED | if goes_on { CONTINUED } else { 0 };
        }
        if next.is_some() {
            flags &= !LAST;
        }
        page.put(FLAGS, &[flags]);
        page.put(VERSION, &[0]);
        self.choose_size(page, next);
        let (mut packets, carried) = self.packets(page, &self.carried);
        if packets.is_empty() {
            page.put(GRANULE, &NO_TIME.to_le_bytes());
            return;
        }
        let end = self.end_of(page, next, &packets, &carried);
        page.put(GRANULE, &end.to_le_bytes());
        let whole = self.end.and_then(|start| end.checked_sub(start));
        // The last page may state that its end is not heard.
        let whole = whole.filter(|_| next.is_some());
        match &self.codec {
            Codec::Vorbis(modes) => {
                let behind = next.and_then(|next| self.packets(next, &carried).0.first()?.head);
                self.mend_blocks(modes, page, &mut packets, whole, behind);
            }
            Codec::Opus => self.mend_opus(page, &packets, whole),
            Codec::Flac => self.mend_flac(page, &packets, whole),
            Codec::Other => {}
        }
    }

    /// The packets that end in a page behind one that ends with the part `carried` of a packet, and the part
    /// with which the page itself ends.
    fn packets(&self, page: &Page, carried: &[u8]) -> (Vec<Packet>, Vec<u8>) {
        let is_continued = page.flags() & CONTINUED != 0;
        let (mut packets, mut open) = (Vec::new(), Vec::new());
        for (index, (range, is_end)) in page.ranges().into_iter().enumerate() {
            let begins_before = index == 0 && is_continued;
            if begins_before && carried.is_empty() {
                continue; // its beginning is missing
            }
            let mut start = if begins_before { carried.to_vec() } else { Vec::new() };
            let rest = heads::LONGEST.saturating_sub(start.len()).min(range.len());
            start.extend_from_slice(&page.bytes[range.start..range.start + rest]);
            if is_end {
                let at = (!begins_before).then_some(range.start);
                let head = self.codec.read(&start);
                packets.push(Packet { at, length: range.len(), start, head });
            } else {
                open = start;
            }
        }
        (packets, open)
    }

    /// Frames of sound of packets behind the block `before`; `None` where a packet does not show it.
    fn total(&self, packets: &[Packet], mut before: Option<Head>) -> Option<u64> {
        let mut total = 0;
        for packet in packets {
            let head = packet.head?;
            total += self.codec.duration(before.map(|before| before.frames), &head);
            before = Some(head);
        }
        Some(total)
    }

    /// The time at a doubtful page's end: as the page states it, where a neighbour agrees.
    fn end_of(&self, page: &Page, next: Option<&Page>, packets: &[Packet], carried: &[u8]) -> u64 {
        const MOST_PADDING: u64 = 1 << 13; // that the last page may state
        let stated = page.granule();
        let total = self.total(packets, self.last);
        let by_before = self.end.zip(total).map(|(end, total)| end.saturating_add(total));
        let last = packets.last().and_then(|packet| packet.head);
        let by_next = next
            .filter(|next| next.trust != Trust::Doubtful && next.flags() & LAST == 0)
            .filter(|next| next.sequence() == page.sequence().wrapping_add(1) && last.is_some())
            .and_then(|next| {
                let (packets, _) = self.packets(next, carried);
                let total = self.total(&packets, last).filter(|_| !packets.is_empty())?;
                next.granule().checked_sub(total)
            });
        let is_confirmed = [by_before, by_next].contains(&Some(stated));
        let is_padded =
            |end: u64| next.is_none() && (end.saturating_sub(MOST_PADDING)..=end).contains(&stated);
        if is_confirmed || by_before.is_some_and(is_padded) {
            return stated;
        }
        by_next.or(by_before).unwrap_or(stated)
    }

    /// Of the sizes that may be the damaged one, takes the one that gives the most packets that look like
    /// packets.
    fn choose_size(&self, page: &mut Page, next: Option<&Page>) {
        const SURE: i64 = 8;
        let score = |&&(index, size): &&(usize, u8)| {
            let mut fitted = page.clone();
            fitted.put_size(index, size);
            let (packets, _) = self.packets(&fitted, &self.carried);
            let usual = |packet: &&Packet| match self.codec {
                Codec::Opus => packet.start.first() == self.usual.first(),
                _ => packet.head.is_some(),
            };
            let heads: Vec<Option<Head>> = packets.iter().map(|packet| packet.head).collect();
            let end = self.end.zip(self.total(&packets, self.last)).map(|(end, it)| end + it);
            let is_timed = end == Some(page.granule());
            let continues = next.map(|next| next.flags() & CONTINUED != 0);
            let is_continued = continues == Some(fitted.goes_on());
            2 * packets.iter().filter(usual).count() as i64
                - packets.len() as i64
                - conflicts(&heads) as i64
                + SURE * (i64::from(is_timed) + i64::from(is_continued))
        };
        if let Some(&(index, size)) = page.fits.iter().max_by_key(score) {
            page.put_size(index, size);
        }
    }

    /// Puts the sizes of Vorbis' blocks right: a damaged one contradicts the blocks around it, and the
    /// page's length.
    fn mend_blocks(
        &self,
        modes: &Modes,
        page: &mut Page,
        packets: &mut [Packet],
        whole: Option<u64>,
        behind: Option<Head>,
    ) {
        const MOST_REPAIRS: usize = 8;
        const PER_BLOCK: u64 = 2; // a right block that is changed makes two conflicts
        const UNREADABLE: u64 = 10;
        let cost = |packets: &[Packet]| {
            let heads = packets.iter().map(|packet| packet.head);
            let heads: Vec<_> = [self.last].into_iter().chain(heads).chain([behind]).collect();
            let total = self.total(packets, self.last);
            let off = whole.zip(total).map_or(0, |(whole, total)| whole.abs_diff(total));
            let unreadable = packets.iter().filter(|packet| packet.head.is_none()).count() as u64;
            conflicts(&heads) as u64
                + PER_BLOCK * off.div_ceil(modes.difference())
                + UNREADABLE * unreadable
        };
        let mut now = cost(packets);
        for _ in 0..MOST_REPAIRS {
            let mut best = (now, None);
            for index in 0..packets.len() {
                if packets[index].at.is_none() {
                    continue;
                }
                let head = packets[index].head;
                let sizes = head.map_or(vec![false, true], |head| vec![!head.is_long()]);
                for is_long in sizes {
                    let Some(start) = modes.as_block(&packets[index].start, is_long) else {
                        continue;
                    };
                    packets[index].head = self.codec.read(&start);
                    let cost = cost(packets);
                    if cost < best.0 {
                        best = (cost, Some((index, start)));
                    }
                }
                packets[index].head = head;
            }
            let (cost, Some((index, start))) = best else { break };
            // Without the page's length, one contradiction is no proof.
            if cost == 0 || whole.is_some() || cost + 2 <= now {
                now = cost;
                packets[index].head = self.codec.read(&start);
                packets[index].start[..2].copy_from_slice(&start);
                page.put(packets[index].at.unwrap_or_default(), &start);
            } else {
                break;
            }
        }
    }

    /// Gives packets of Opus that are not as long as usual the usual beginning, where the page's length shows
    /// that they are wrong.
    fn mend_opus(&self, page: &mut Page, packets: &[Packet], whole: Option<u64>) {
        const CODE: u8 = 3; // states the number of frames in a second byte
        let Some(usual) = self.codec.read(&self.usual) else { return };
        let is_right = whole.is_none_or(|whole| self.total(packets, None) == Some(whole));
        if is_right && packets.iter().all(|packet| packet.head.is_some()) {
            return;
        }
        let bytes = if self.usual[0] & CODE == CODE { 2 } else { 1 };
        for packet in packets {
            if let Some(at) = packet.at
                && packet.length >= bytes
                && packet.head.is_none_or(|head| head.frames != usual.frames)
            {
                page.put(at, &self.usual[..bytes]);
            }
        }
    }

    /// Gives frames of FLAC whose header is damaged another one, so that the time that is lost with them is
    /// known.
    fn mend_flac(&self, page: &mut Page, packets: &[Packet], whole: Option<u64>) {
        let known: u64 = packets.iter().filter_map(|packet| Some(packet.head?.frames)).sum();
        let damaged: Vec<usize> = packets
            .iter()
            .filter(|packet| packet.head.is_none() && packet.length >= flac_frame::HEADER_BYTES)
            .filter_map(|packet| packet.at)
            .collect();
        let usual = self.codec.read(&self.usual).map_or(0, |head| head.frames);
        let missing = whole.and_then(|whole| whole.checked_sub(known));
        let missing = missing.unwrap_or(usual * damaged.len() as u64);
        let share = missing.div_ceil(damaged.len().max(1) as u64);
        let mut left = missing;
        for at in damaged {
            if let Some(header) = flac_frame::header(share.min(left)) {
                page.put(at, &header);
            }
            left -= share.min(left);
        }
    }
}

fn conflicts(heads: &[Option<Head>]) -> usize {
    let pairs = heads.windows(2).filter_map(|pair| pair[0].zip(pair[1]));
    pairs.map(|(first, second)| first.conflicts(&second)).sum()
}
