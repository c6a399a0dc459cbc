; A program that times its own kernel: the scalar product of two vectors, with the caches cold and then warm. What comes
; before and between does not count.
;
;     pentary run pentary/programs/timed.s

        .include "runtime.s"

        .param  N, 1000                 ; elements

        region  scalar
        region  vector

start:  report_traps
        li      p20, 2                  ; runs
again:  region_begin scalar
        call    by_scalars
        region_end scalar
        mv      p21, p11
        region_begin vector
        call    by_vectors
        region_end vector
        assert_equal p11, p21
        region_print scalar, "scalar code, all runs so far"
        region_print vector, "vector code, all runs so far"
        dec     p20
        bnz     p20, again
        exit    0

; p11 = the sum of x[j] * y[j], an element at a time.
by_scalars:
        la      p12, x
        la      p13, y
        la      p14, x + N
        accset  zero
1:      load    p15, (p12)
        load    p16, (p13)
        mac     p15, p16
        inc     p12
        inc     p13
        blt     p12, p14, 1b
        accget  p11, 0
        ret

; The same with vectors of up to 256 elements.
by_vectors:
        la      p12, x
        la      p13, y
        li      p14, N
        li      p15, 256
        li      p11, 0
1:      min     p16, p14, p15
        setvl   p16
        loadv   v0, (p12)
        loadv   v1, (p13)
        vmul    v2, v0, v1
        vsum    p17, v2
        add     p11, p11, p17
        add     p12, p12, p16
        add     p13, p13, p16
        sub     p14, p14, p16
        bnz     p14, 1b
        ret

        .data
x:
        .rept   N, j
        .word   \j % 7 - 3
        .endr
y:
        .rept   N, j
        .word   \j % 11 - 5
        .endr
