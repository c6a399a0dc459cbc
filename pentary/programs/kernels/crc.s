; Cyclic redundancy check over GF(5): the remainder of a message, as a polynomial of pents, by x^6 + x^5 - 2x^2 - 1.
;
; The remainder is in six registers, a coefficient each. A message pent enters at the lowest coefficient; a multiple of
; the generator cancels the highest. A sum of pents is reduced modulo 5 as t - 5 round(t / 5).

        .param  N, 300
        .include "frame.s"

        .macro  reduce x                ; modulo 5, through p9
        shri    p9, \x, 1
        shli    p9, p9, 1
        sub     \x, \x, p9
        .endm

start:  la      p1, message
        la      p2, message + N
        call    crc                     ; with six zeros at the end
        la      p3, message + N         ; append minus the remainder, the highest coefficient first
        neg     p4, p15
        store   p4, (p3)
        neg     p4, p14
        store   p4, 1(p3)
        neg     p4, p13
        store   p4, 2(p3)
        neg     p4, p12
        store   p4, 3(p3)
        neg     p4, p11
        store   p4, 4(p3)
        neg     p4, p10
        store   p4, 5(p3)
        la      p1, message             ; then the remainder is 0
        la      p2, message + N
        call    crc
        mul     p10, p10, p10
        mul     p11, p11, p11
        mul     p12, p12, p12
        mul     p13, p13, p13
        mul     p14, p14, p14
        mul     p15, p15, p15
        add     p10, p10, p11
        add     p10, p10, p12
        add     p10, p10, p13
        add     p10, p10, p14
        add     p10, p10, p15
        bnz     p10, failed
        jump    passed

kernel:
crc:    li      p10, 0                  ; remainder of the words from p1 to p2 + 6, lowest coefficient in p10
        li      p11, 0
        li      p12, 0
        li      p13, 0
        li      p14, 0
        li      p15, 0
        addi    p3, p2, 6
1:      load    p4, (p1)
        mv      p5, p15                 ; the highest coefficient, which is cancelled
        sub     p15, p14, p5
        reduce  p15
        mv      p14, p13
        mv      p13, p12
        add     p12, p5, p5
        add     p12, p12, p11
        reduce  p12
        mv      p11, p10
        add     p10, p4, p5
        reduce  p10
        inc     p1
        blt     p1, p3, 1b
        ret
kernel_end:

        .data
message:
        scatter N, -2, 2, 29
        .space  6
