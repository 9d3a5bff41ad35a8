//! Repair of doubtful pages: time, flags and sizes are reconstructed from the neighbouring pages.
//! Only packets that are really damaged are then lost or distorted.
//!
//! A page states the time at its end, and its packets state their durations. The previous and the
//! next page state both a second time. Where intact pages contradict their packets, as in files that
//! ffmpeg cut out of others, the packets count, as in other decoders: Symphonia 0.6.1 would drop the
//! frames beyond a page's stated end. Follows one stream page by page. Runs on the decoder thread.

use std::ops::Range;

use super::{
    heads::{self, Codec, Head, Modes},
    page::{CONTINUED, FLAGS, GRANULE, LAST, Page, Trust, VERSION},
};
use crate::engine::audio::decode::flac_frame;

/// Time of a page in which no packet ends.
const NO_TIME: u64 = u64::MAX;

/// Latest plausible time in frames: years.
const LATEST: u64 = 1 << 44;
/// Maximum contradiction in frames between a damaged page and its intact packets: one packet.
const LONGEST_PACKET: u64 = 1 << 13;
/// Latest end, in frames, of a first page that proves a stream start at 0: the longest pages.
const LATEST_START: u64 = 1 << 18;

/// State of a stream after one of its pages.
pub struct Line {
    codec: Codec,
    /// Time at the end of the page as shown; `None` at the start and after missing pages.
    end: Option<u64>,
    /// Frames by which the shown time exceeds the stated time.
    offset: i64,
    /// Whether the stream is at its start, without missing pages.
    is_start: bool,
    /// Whether a packet continues in the next page; `None` after missing pages.
    goes_on: Option<bool>,
    /// First bytes of that packet.
    carried: Vec<u8>,
    /// Header of the last packet, and its first bytes.
    last: Option<Head>,
    usual: Vec<u8>,
}

/// A packet that ends in a page.
struct Packet {
    /// Offset in the page, unless the packet begins in another page.
    at: Option<usize>,
    /// Number of bytes in this page.
    length: usize,
    start: Vec<u8>,
    head: Option<Head>,
}

impl Line {
    /// State at the start of a stream of this codec.
    pub fn new(codec: Codec) -> Self {
        let (carried, usual) = (Vec::new(), Vec::new());
        Self {
            codec,
            end: None,
            offset: 0,
            is_start: true,
            goes_on: None,
            carried,
            last: None,
            usual,
        }
    }

    /// Records that pages are missing.
    pub fn interrupt(&mut self) {
        (self.end, self.goes_on, self.last, self.is_start) = (None, None, None, false);
        self.carried.clear();
    }

    /// Advances by a page as shown. Returns the time range of its packets, if the page determines
    /// it.
    pub fn take(&mut self, page: &Page) -> Option<Range<u64>> {
        let (packets, carried) = self.packets(page, &self.carried);
        self.is_start = false;
        let time = if packets.is_empty() {
            self.end.map(|end| end..end.saturating_add(1))
        } else {
            let end = page.granule();
            let total = self.after(&packets, self.last).unwrap_or(0);
            let start = self.end.unwrap_or(end.saturating_sub(total));
            self.end = Some(end).filter(|&end| end <= LATEST);
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

    /// Whether the stream begins at 0 with a page that ends at this time.
    pub fn begins(&self, end: u64) -> bool {
        self.is_start && end <= LATEST_START
    }

    /// Replaces the time of an intact page if its packets contradict it. Only the last page may end
    /// within a packet.
    pub fn retime(&mut self, page: &mut Page, is_last: bool) {
        let (packets, _) = self.packets(page, &self.carried);
        if packets.is_empty() {
            return;
        }
        let (stated, by_packets) = (page.granule(), self.by_packets(&packets));
        let end = if is_last {
            let end = self.shown_end(stated);
            by_packets.map_or(end, |by_packets| by_packets.min(end))
        } else {
            by_packets.unwrap_or(stated.saturating_add_signed(self.offset))
        };
        if !is_last {
            self.shift(stated, end);
        }
        page.put(GRANULE, &end.to_le_bytes());
    }

    /// Shown time at the end of the last page. It states the length of the sound, unless an earlier
    /// page jumped.
    fn shown_end(&self, stated: u64) -> u64 {
        let is_jump = self.offset.unsigned_abs() > LONGEST_PACKET;
        if is_jump { stated.saturating_add_signed(self.offset) } else { stated }
    }

    /// Records that the stated time is shown as another.
    fn shift(&mut self, stated: u64, shown: u64) {
        if stated <= LATEST && shown <= LATEST {
            self.offset = shown as i64 - stated as i64;
        }
    }

    /// Time at the end of these packets by their own durations, if both are known.
    fn by_packets(&self, packets: &[Packet]) -> Option<u64> {
        // A block of Vorbis has no known duration without the one before it.
        self.last?;
        self.end?.checked_add(self.after(packets, self.last)?)
    }

    /// Whether the headers of these packets agree with each other and with their neighbours.
    fn is_consistent(&self, packets: &[Packet], behind: Option<Head>) -> bool {
        let own = packets.iter().map(|packet| packet.head);
        let heads: Vec<Option<Head>> =
            std::iter::once(self.last).chain(own).chain([behind]).collect();
        let count = packets.len() + 1;
        let frames = |head: &Option<Head>| head.map(|head| head.frames);
        let is_even = matches!(self.codec, Codec::Vorbis(_))
            || heads[..count].windows(2).all(|pair| frames(&pair[0]) == frames(&pair[1]));
        heads[..count].iter().all(Option::is_some) && conflicts(&heads) == 0 && is_even
    }

    /// Repairs a doubtful page; `next` is the page after it.
    pub fn mend(&mut self, page: &mut Page, next: Option<&Page>) {
        let mut flags = page.flags() & (CONTINUED | LAST);
        if let Some(goes_on) = self.goes_on {
            flags = flags & !CONTINUED | if goes_on { CONTINUED } else { 0 };
        }
        if next.is_some() {
            flags &= !LAST;
        }
        page.put(FLAGS, &[flags]);
        page.put(VERSION, &[0]);
        let usual = self.usual(page, next);
        let is_fitted = page.is_fitted();
        self.choose_sizes(page, next, &usual);
        let (mut packets, carried) = self.packets(page, &self.carried);
        if packets.is_empty() {
            page.put(GRANULE, &NO_TIME.to_le_bytes());
            return;
        }
        let behind = next.and_then(|next| self.packets(next, &carried).0.first()?.head);
        let stated = self.end_of(page, next, &packets, &carried);
        let shown = match next {
            Some(_) => stated.saturating_add_signed(self.offset),
            None => self.shown_end(stated),
        };
        let by_packets =
            self.by_packets(&packets).filter(|_| is_fitted && self.is_consistent(&packets, behind));
        let end = match by_packets {
            Some(end) if next.is_none() => end.min(shown),
            Some(end) if end.abs_diff(shown) <= LONGEST_PACKET => end,
            _ => shown,
        };
        self.shift(stated, end);
        page.put(GRANULE, &end.to_le_bytes());
        // A stream usually begins at 0, but an excerpt does not.
        let start = self.end.or_else(|| self.begins(end).then_some(0));
        let whole = start.and_then(|start| end.checked_sub(start));
        // The last page may mark its end as inaudible.
        let whole = whole.filter(|&whole| next.is_some() && whole <= LATEST);
        match &self.codec {
            Codec::Vorbis(modes) => {
                self.mend_blocks(modes, page, &mut packets, whole, behind);
            }
            Codec::Opus => self.mend_opus(page, &packets, whole, &usual),
            Codec::Flac => self.mend_flac(page, &packets, whole, &usual),
            Codec::Other => {}
        }
    }

    /// Packets that end in a page, and the start of the packet that continues after it. The
    /// previous page ended with the part `carried` of a packet.
    fn packets(&self, page: &Page, carried: &[u8]) -> (Vec<Packet>, Vec<u8>) {
        let is_continued = page.flags() & CONTINUED != 0;
        let (mut packets, mut open) = (Vec::new(), Vec::new());
        for (index, (range, is_end)) in page.ranges().into_iter().enumerate() {
            let begins_before = index == 0 && is_continued;
            if begins_before && carried.is_empty() {
                continue; // the start of the packet is missing
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

    /// Frames of sound in packets after the block `before`; `None` if a packet has no valid header.
    fn after(&self, packets: &[Packet], mut before: Option<Head>) -> Option<u64> {
        let mut total = 0;
        for packet in packets {
            let head = packet.head?;
            total += self.codec.duration(before.map(|before| before.frames), &head);
            before = Some(head);
        }
        Some(total)
    }

    /// Frames of the next page's packets; unlike [`Self::after`], a silent first block of Vorbis is
    /// excluded.
    fn total(&self, packets: &[Packet], before: Option<Head>) -> Option<u64> {
        let total = self.after(packets, before)?;
        // The first block of Vorbis produces no sound.
        let silent = packets.first().filter(|_| self.is_start).and_then(|packet| packet.head);
        Some(match (&self.codec, silent) {
            (Codec::Vorbis(_), Some(head)) => total - self.codec.duration(None, &head),
            _ => total,
        })
    }

    /// Time at the end of a doubtful page, as it is or was stated; the stated time counts if a
    /// neighbour agrees.
    fn end_of(&self, page: &Page, next: Option<&Page>, packets: &[Packet], carried: &[u8]) -> u64 {
        const MOST_PADDING: u64 = 1 << 13; // allowed on the last page
        let stated = page.granule();
        let total = self.total(packets, self.last);
        let before = self.end.map(|end| end.saturating_add_signed(-self.offset));
        let by_before = before.zip(total).map(|(end, total)| end.saturating_add(total));
        let last = packets.last().and_then(|packet| packet.head);
        let by_next = next
            .filter(|next| next.flags() & LAST == 0 && last.is_some())
            .filter(|next| next.sequence() == page.sequence().wrapping_add(1))
            .and_then(|next| {
                let (packets, _) = self.packets(next, carried);
                let total = self.after(&packets, last).filter(|_| !packets.is_empty())?;
                next.granule().checked_sub(total)
            });
        let is_confirmed = [by_before, by_next].contains(&Some(stated));
        let is_padded =
            |end: u64| next.is_none() && (end.saturating_sub(MOST_PADDING)..=end).contains(&stated);
        if is_confirmed || by_before.is_some_and(is_padded) {
            return stated;
        }
        let is_sure = next.is_some_and(|next| next.trust != Trust::Doubtful);
        // Packet headers take more bytes than the time, and are damaged more often.
        let is_likely = next.is_some()
            && by_before.is_none_or(|end| end.abs_diff(stated) <= LONGEST_PACKET)
            && before.is_none_or(|end| (end..=end.saturating_add(LATEST_START)).contains(&stated));
        let by_stated = Some(stated).filter(|_| is_likely);
        let by_next = by_next.filter(|_| is_sure);
        // A small contradiction comes from the encoder more often than from damage to the time.
        let is_far = |end: &u64| end.abs_diff(stated) > LONGEST_PACKET;
        by_next.filter(is_far).or(by_stated).or(by_next).or(by_before).unwrap_or(stated)
    }

    /// First bytes of a typical packet of this stream: the last one, or the majority of the
    /// following ones.
    fn usual(&self, page: &Page, next: Option<&Page>) -> Vec<u8> {
        if !self.usual.is_empty() {
            return self.usual.clone();
        }
        let (packets, _) = self.packets(next.unwrap_or(page), &[]);
        let same = |start: &[u8]| {
            packets.iter().filter(|packet| packet.start.first() == start.first()).count()
        };
        let usual = packets.iter().filter(|packet| packet.head.is_some());
        usual
            .map(|packet| &packet.start)
            .max_by_key(|start| same(start))
            .cloned()
            .unwrap_or_default()
    }

    /// Replaces sizes that do not add up to the page's length by those that yield the most
    /// plausible packets.
    fn choose_sizes(&self, page: &mut Page, next: Option<&Page>, usual: &[u8]) {
        const SURE: i64 = 8;
        if page.is_fitted() {
            return;
        }
        let score = |(index, sizes): &(usize, Vec<u8>)| {
            let mut fitted = page.clone();
            fitted.put_sizes(*index, sizes);
            let (packets, _) = self.packets(&fitted, &self.carried);
            let is_usual = |packet: &&Packet| match self.codec {
                Codec::Opus => packet.start.first() == usual.first(),
                _ => packet.head.is_some(),
            };
            let heads: Vec<Option<Head>> = packets.iter().map(|packet| packet.head).collect();
            let end = self
                .end
                .zip(self.total(&packets, self.last))
                .map(|(end, frames)| end.saturating_add(frames));
            let is_timed = end == Some(page.granule().saturating_add_signed(self.offset));
            let continues = next.map(|next| next.flags() & CONTINUED != 0);
            let is_continued = continues == Some(fitted.goes_on());
            2 * packets.iter().filter(is_usual).count() as i64
                - packets.len() as i64
                - conflicts(&heads) as i64
                - sizes.len() as i64
                + SURE * (i64::from(is_timed) + i64::from(is_continued))
        };
        if let Some((index, sizes)) = page.fits().into_iter().max_by_key(score) {
            page.put_sizes(index, &sizes);
        }
    }

    /// Corrects Vorbis block sizes: a damaged one contradicts its neighbours and the page's
    /// duration.
    fn mend_blocks(
        &self,
        modes: &Modes,
        page: &mut Page,
        packets: &mut [Packet],
        whole: Option<u64>,
        behind: Option<Head>,
    ) {
        const MOST_REPAIRS: usize = 64;
        const PER_BLOCK: i64 = 2; // changing a correct block makes two conflicts
        const UNREADABLE: i64 = 10;
        let frames = |head: Option<Head>| head.map(|head| head.frames);
        for _ in 0..MOST_REPAIRS {
            let total = self.total(packets, self.last).map(|total| total as i64);
            let off = |change: i64| match (whole, total) {
                (Some(whole), Some(total)) => {
                    let off = (whole as i64 - total - change).unsigned_abs();
                    off.div_ceil(modes.difference()) as i64 * PER_BLOCK
                }
                _ => 0,
            };
            // Counts conflicts with the neighbours of a packet, and the time that depends on the
            // packet.
            let around = |index: usize, head: Option<Head>| {
                let before = index.checked_sub(1).map_or(self.last, |before| packets[before].head);
                let next = packets.get(index + 1).map_or(behind, |next| next.head);
                let own = head.map_or(0, |head| self.codec.duration(frames(before), &head));
                let is_counted = index + 1 < packets.len();
                let then = next.filter(|_| is_counted);
                let then = then.map_or(0, |next| self.codec.duration(frames(head), &next));
                (conflicts(&[before, head, next]) as i64, (own + then) as i64)
            };
            let mut best = (0, None);
            for (index, packet) in
                packets.iter().enumerate().filter(|(_, packet)| packet.at.is_some())
            {
                let (conflicts, time) = around(index, packet.head);
                for is_long in [false, true] {
                    let start = modes.as_block(&packet.start, is_long);
                    let Some(start) = start.filter(|start| packet.start[..2] != *start) else {
                        continue;
                    };
                    let head = self.codec.read(&start);
                    let (conflicts_then, time_then) = around(index, head);
                    let readable = i64::from(packet.head.is_none()) * UNREADABLE;
                    let gain =
                        conflicts - conflicts_then + off(0) - off(time_then - time) + readable;
                    if gain > best.0 {
                        best = (gain, Some((index, start, head)));
                    }
                }
            }
            // Without the page's duration, a single conflict is insufficient.
            let (2.., Some((index, start, head))) = best else { break };
            packets[index].head = head;
            packets[index].start[..2].copy_from_slice(&start);
            page.put(packets[index].at.unwrap_or_default(), &start);
        }
    }

    /// Replaces the start of unusual Opus packets by the usual start, if that brings the page
    /// closer to its duration.
    fn mend_opus(&self, page: &mut Page, packets: &[Packet], whole: Option<u64>, usual: &[u8]) {
        const CODE: u8 = 3; // the second byte states the number of frames
        let Some(head) = self.codec.read(usual) else { return };
        let bytes = if usual[0] & CODE == CODE { 2 } else { 1 };
        let is_odd = |packet: &&Packet| packet.head.is_none_or(|own| own.frames != head.frames);
        let odd: Vec<&Packet> = packets
            .iter()
            .filter(is_odd)
            .filter(|packet| packet.at.is_some() && packet.length >= bytes)
            .collect();
        let stated = |packet: &Packet| packet.head.map_or(0, |own| own.frames);
        let now: u64 = packets.iter().map(stated).sum();
        let then = now + head.frames * odd.len() as u64
            - odd.iter().map(|packet| stated(packet)).sum::<u64>();
        let is_better = whole.is_some_and(|whole| whole.abs_diff(then) < whole.abs_diff(now));
        for packet in odd {
            if is_better || packet.head.is_none() {
                page.put(packet.at.unwrap_or_default(), &usual[..bytes]);
            }
        }
    }

    /// Replaces damaged headers of FLAC frames, so that the time lost with those frames is known.
    fn mend_flac(&self, page: &mut Page, packets: &[Packet], whole: Option<u64>, usual: &[u8]) {
        let known: u64 = packets.iter().filter_map(|packet| Some(packet.head?.frames)).sum();
        let damaged: Vec<usize> = packets
            .iter()
            .filter(|packet| packet.head.is_none() && packet.length >= flac_frame::HEADER_BYTES)
            .filter_map(|packet| packet.at)
            .collect();
        let usual = self.codec.read(usual).map_or(0, |head| head.frames);
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
