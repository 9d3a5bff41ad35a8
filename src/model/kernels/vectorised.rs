//! Functions that are compiled for several instruction sets.

/// Defines a function whose loops are compiled three times: for AVX-512, for AVX2 with FMA, and for
/// the target's baseline. The CPU's features choose the version at run time. `$fma` is a constant in
/// the body: whether a fused multiply-add is one instruction.
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$fma:ident $(, $generic:ident: $bound:path)*>
     ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn portable<const $fma: bool $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    portable::<true $(, $generic)*>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    portable::<true $(, $generic)*>($($arg),*)
                }
                if $crate::model::kernels::cpu::has_avx512() {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was found to have the features it is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::model::kernels::cpu::has_avx2() {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was found to have the features it is compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            portable::<{ cfg!(target_arch = "aarch64") } $(, $generic)*>($($arg),*)
        }
    };
}
pub(crate) use vectorised;
