//! AMX's instructions, in assembly: stable Rust has no intrinsics for them.

#![expect(unsafe_code, reason = "assembly")]

use std::{arch::asm, cell::Cell, marker::PhantomData};

use super::super::{
    amx::{ROWS, Side, Size, Sums, Tile},
    cpu,
    layout::NR,
};

/// Bytes of a line of a tile, and distance between lines.
const LINE: usize = 64;
/// Steps of the depth of one pass, so that two panels (callers have few) stay in the first-level
/// cache while strips come from the second-level cache.
const STEPS: usize = 8;

/// Configuration of the tile registers: eight of sixteen lines of 64 bytes.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIGURATION: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// The configured tile registers of this thread. The last one releases them when dropped, so that
/// the system does not save them when it switches threads.
#[derive(Debug)]
pub struct Tiles(PhantomData<*const ()>);

thread_local! {
    /// Number of [`Tiles`] of this thread.
    static USERS: Cell<usize> = const { Cell::new(0) };
}

impl Tiles {
    /// `None` if [`cpu::has_amx`] returns false.
    pub fn new() -> Option<Self> {
        if !cpu::has_amx() {
            return None;
        }
        if USERS.get() == 0 {
            configure();
        }
        USERS.set(USERS.get() + 1);
        Some(Self(PhantomData))
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        USERS.set(USERS.get() - 1);
        if USERS.get() == 0 {
            release();
        }
    }
}

/// Configures the tile registers of this thread, on a CPU that has them.
fn configure() {
    // SAFETY: the caller has checked that the CPU has AMX; the configuration is valid for palette
    // 1.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const CONFIGURATION, options(nostack, readonly));
    }
}

/// Releases the tile registers.
fn release() {
    // SAFETY: the last `Tiles` of this thread was dropped, so the CPU has AMX and no product runs.
    unsafe {
        asm!("tilerelease", options(nostack, nomem));
    }
}

/// [`product`](super::super::amx::product) by the instructions. The caller has checked all bounds.
pub fn product<const P: usize, const ADD: bool>(
    _tiles: &Tiles,
    sums: &mut Sums<'_>,
    left: Side<'_>,
    right: Side<'_>,
    Size { strips, panels, steps }: Size,
) {
    let add = i32::from(ADD);
    for from in (0..steps).step_by(STEPS) {
        let steps = STEPS.min(steps - from);
        let add = if from == 0 { add } else { 1 };
        for strip in (0..strips).step_by(2) {
            for panel in (0..panels).step_by(2) {
                // SAFETY: the caller has checked that the last tile and the last line exist; these
                // lie before them, or are them.
                unsafe {
                    // An unused stride may overflow.
                    let run = Run {
                        left: left.tiles.as_ptr().add(strip * left.stride + from * left.step),
                        left_stride: left.stride.wrapping_mul(size_of::<Tile>()),
                        left_step: left.step.wrapping_mul(size_of::<Tile>()),
                        right: right.tiles.as_ptr().add(panel * right.stride + from * right.step),
                        right_stride: right.stride.wrapping_mul(size_of::<Tile>()),
                        right_step: right.step.wrapping_mul(size_of::<Tile>()),
                        sums: sums.lines.as_mut_ptr().add(panel * sums.stride + strip * ROWS),
                        sums_stride: sums.stride.wrapping_mul(LINE),
                        steps,
                    };
                    match (P, panels - panel, strips - strip) {
                        (1, 1, 1) => run.one_1(add),
                        (1, 1, _) => run.tall_1(add),
                        (1, _, 1) => run.wide_1(add),
                        (1, ..) => run.four_1(add),
                        (_, 1, 1) => run.one_2(add),
                        (_, 1, _) => run.tall_2(add),
                        (_, _, 1) => run.wide_2(add),
                        _ => run.four_2(add),
                    }
                }
            }
        }
    }
}

/// Products of up to two strips with up to two panels. Strides and steps are in bytes.
struct Run {
    left: *const Tile,
    left_stride: usize,
    left_step: usize,
    right: *const Tile,
    right_stride: usize,
    right_step: usize,
    sums: *mut [f32; NR],
    sums_stride: usize,
    /// At least one.
    steps: usize,
}

/// Defines a product: the loads of its sums, a step, and the stores of its sums. The sums of strip
/// `s` and panel `n` are in register `2 · s + n`; 4 and 5 hold the left matrix, 6 and 7 the right
/// one.
macro_rules! run {
    ($name:ident, [$($load:literal),*], [$($step:literal),*], [$($store:literal),*]) => {
        /// # Safety
        /// The tiles and lines of as many strips and panels as the name says must exist, and the
        /// registers be configured.
        unsafe fn $name(&self, add: i32) {
            // SAFETY: reads and writes those tiles and lines alone.
            unsafe {
                asm!(
                    "/* {c1}: not in all */",
                    "test {add:e}, {add:e}",
                    "jz 3f",
                    $($load,)*
                    "jmp 2f",
                    "3:",
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    $($step,)*
                    "add {a}, {a_step}",
                    "add {a1}, {a_step}",
                    "add {b}, {b_step}",
                    "add {b1}, {b_step}",
                    "dec {n}",
                    "jnz 2b",
                    $($store,)*
                    add = in(reg) add,
                    a = inout(reg) self.left => _,
                    a1 = inout(reg) self.left.wrapping_byte_add(self.left_stride) => _,
                    a_step = in(reg) self.left_step,
                    b = inout(reg) self.right => _,
                    b1 = inout(reg) self.right.wrapping_byte_add(self.right_stride) => _,
                    b_step = in(reg) self.right_step,
                    c = in(reg) self.sums,
                    c1 = in(reg) self.sums.wrapping_byte_add(self.sums_stride),
                    n = inout(reg) self.steps => _,
                    l = in(reg) LINE,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

impl Run {
    run!(
        four_1,
        [
            "tileloadd tmm0, [{c} + {l}]",
            "tileloadd tmm1, [{c1} + {l}]",
            "tileloadd tmm2, [{c} + {l} + 1024]",
            "tileloadd tmm3, [{c1} + {l} + 1024]"
        ],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {l}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {l}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7"
        ],
        [
            "tilestored [{c} + {l}], tmm0",
            "tilestored [{c1} + {l}], tmm1",
            "tilestored [{c} + {l} + 1024], tmm2",
            "tilestored [{c1} + {l} + 1024], tmm3"
        ]
    );
    run!(
        tall_1,
        ["tileloadd tmm0, [{c} + {l}]", "tileloadd tmm2, [{c} + {l} + 1024]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{a1} + {l}]",
            "tdpbf16ps tmm2, tmm5, tmm6"
        ],
        ["tilestored [{c} + {l}], tmm0", "tilestored [{c} + {l} + 1024], tmm2"]
    );
    run!(
        wide_1,
        ["tileloadd tmm0, [{c} + {l}]", "tileloadd tmm1, [{c1} + {l}]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {l}]",
            "tdpbf16ps tmm1, tmm4, tmm7"
        ],
        ["tilestored [{c} + {l}], tmm0", "tilestored [{c1} + {l}], tmm1"]
    );
    run!(
        one_1,
        ["tileloadd tmm0, [{c} + {l}]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6"
        ],
        ["tilestored [{c} + {l}], tmm0"]
    );
    // With two parts: the left with the right's remainder, the left with the right, the left's
    // remainder with the right.
    run!(
        four_2,
        [
            "tileloadd tmm0, [{c} + {l}]",
            "tileloadd tmm1, [{c1} + {l}]",
            "tileloadd tmm2, [{c} + {l} + 1024]",
            "tileloadd tmm3, [{c1} + {l} + 1024]"
        ],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {l} + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {l}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm7, [{b1} + {l}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm4, [{a} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {l} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7"
        ],
        [
            "tilestored [{c} + {l}], tmm0",
            "tilestored [{c1} + {l}], tmm1",
            "tilestored [{c} + {l} + 1024], tmm2",
            "tilestored [{c1} + {l} + 1024], tmm3"
        ]
    );
    run!(
        tall_2,
        ["tileloadd tmm0, [{c} + {l}]", "tileloadd tmm2, [{c} + {l} + 1024]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{a1} + {l}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm7, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm7",
            "tileloadd tmm4, [{a} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {l} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm7"
        ],
        ["tilestored [{c} + {l}], tmm0", "tilestored [{c} + {l} + 1024], tmm2"]
    );
    run!(
        wide_2,
        ["tileloadd tmm0, [{c} + {l}]", "tileloadd tmm1, [{c1} + {l}]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {l} + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm6, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {l}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm5, tmm6",
            "tdpbf16ps tmm1, tmm5, tmm7"
        ],
        ["tilestored [{c} + {l}], tmm0", "tilestored [{c1} + {l}], tmm1"]
    );
    run!(
        one_2,
        ["tileloadd tmm0, [{c} + {l}]"],
        [
            "tileloadd tmm4, [{a} + {l}]",
            "tileloadd tmm6, [{b} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b} + {l}]",
            "tdpbf16ps tmm0, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {l} + 1024]",
            "tdpbf16ps tmm0, tmm5, tmm7"
        ],
        ["tilestored [{c} + {l}], tmm0"]
    );
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{layout::Pair, testing::has_amx},
        *,
    };

    /// The product of a strip and a panel of ones, of one step.
    fn product_of_ones(tiles: &Tiles) -> [[f32; NR]; ROWS] {
        let ones = [Tile([[Pair::new([1.0; 2]); NR]; ROWS])];
        let mut lines = [[7.0; NR]; ROWS];
        let side = Side { tiles: &ones, stride: 1, step: 1 };
        let size = Size { strips: 1, panels: 1, steps: 1 };
        let mut sums = Sums { lines: &mut lines, stride: ROWS };
        product::<1, false>(tiles, &mut sums, side, side, size);
        lines
    }

    #[test]
    fn registers_stay_until_their_last_user_and_are_released_by_it() {
        if !has_amx("registers of tiles") {
            return;
        }
        let first = Tiles::new().unwrap();
        let second = Tiles::new().unwrap();
        assert_eq!(USERS.get(), 2);
        drop(second);
        assert_eq!(USERS.get(), 1);
        assert_eq!(product_of_ones(&first), [[32.0; NR]; ROWS]);
        drop(first);
        assert_eq!(USERS.get(), 0);
        // Configured again after they were released.
        assert_eq!(product_of_ones(&Tiles::new().unwrap()), [[32.0; NR]; ROWS]);
    }

    #[test]
    fn registers_exist_only_on_cpus_with_amx() {
        assert_eq!(Tiles::new().is_some(), cpu::has_amx());
        assert_eq!(USERS.get(), 0);
    }
}
