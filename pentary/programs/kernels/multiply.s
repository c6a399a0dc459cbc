; Multiplication without a multiplier: a product is the sum of one factor, shifted, for each pent of the other.
;
; The lowest pent of x is x - 5 round(x / 5), and the shift rounds: no masks and no sign to take care of, since a
; balanced number has no sign apart from its digits.

        .param  N, 60
        .include "frame.s"

start:  la      p1, factors
        la      p2, factors + 2 * N
        la      p3, products
kernel: load    p4, (p1)
        load    p5, 1(p1)
        li      p6, 0                   ; product
pent:   shri    p7, p5, 1               ; the pents above the lowest
        shli    p8, p7, 1
        sub     p8, p5, p8              ; the lowest: -2..2
        bz      p8, 3f
        bgt     p8, zero, 2f
        sub     p6, p6, p4
        li      p9, -2
        bne     p8, p9, 3f
        sub     p6, p6, p4
        jump    3f
2:      add     p6, p6, p4
        li      p9, 2
        bne     p8, p9, 3f
        add     p6, p6, p4
3:      shli    p4, p4, 1
        mv      p5, p7
        bnz     p5, pent
        store   p6, (p3)
        addi    p1, p1, 2
        inc     p3
        blt     p1, p2, kernel
kernel_end:

; Against the multiplier.
        la      p1, factors
        la      p3, products
check:  load    p4, (p1)
        load    p5, 1(p1)
        mul     p4, p4, p5
        load    p6, (p3)
        bne     p4, p6, failed
        addi    p1, p1, 2
        inc     p3
        blt     p1, p2, check
        jump    passed

        .data
factors:
        scatter 2 * N, -9000, 1000, 5
products:
        .space  N
