; What all kernels share. A kernel has four parts:
;
;     start:              what is not measured: arguments, and sums to check with
;     kernel:             what is measured,
;     kernel_end:             up to here; subroutines that it calls lie between the two
;     ...                 the check of the result, which ends at `passed`, or at `failed` with the place in p1

        .text
        jump    start
passed: halt
failed: halt

; COUNT words in least..greatest, the same in every run, which look random.

        .macro  scatter count, least, greatest, salt
        .rept   \count, i
        .word   \least + ((\i + \salt) ** 3 * 31 + (\i + 5) ** 2 * 17 + \salt) % 10_007 % (\greatest - \least + 1)
        .endr
        .endm
