; Matrix product C = A B of N x N words: three loops around a multiply and accumulate; or, with VECTOR = 1, two loops
; that add rows of B, scaled by elements of A, to a row of C in a vector register.

        .param  N, 24
        .param  VECTOR, 0
        .include "frame.s"

start:  la      p10, a
        la      p11, c
        la      p12, a + N * N
        la      p15, b + N * N
        li      p4, N
        setvl   p4
        .if     VECTOR
kernel: vsub    v3, v3, v3              ; a row of C
        la      p2, b
        load    p4, (p10)
next:   loadv   v1, (p2)                ; a row of B
        inc     p10
        addi    p2, p2, N
        vmuls   v2, v1, p4
        load    p4, (p10)               ; one past A in the end, which is in memory
        vadd    v3, v3, v2
        blt     p2, p15, next
        storev  v3, (p11)
        addi    p11, p11, N
        blt     p10, p12, kernel
        fence
        .else
kernel:                                 ; a row of A
        la      p13, b
        la      p14, b + N
column: mv      p1, p10                 ; along the row of A
        mv      p2, p13                 ; down a column of B
        addi    p3, p10, N
        accset  zero
inner:  load    p4, (p1)
        load    p5, (p2)
        inc     p1
        addi    p2, p2, N
        mac     p4, p5
        blt     p1, p3, inner
        accget  p6, 0
        store   p6, (p11)
        inc     p11
        inc     p13
        blt     p13, p14, column
        addi    p10, p10, N
        blt     p10, p12, kernel
        .endif
kernel_end:

; Freivalds' check: C r = A (B r) for a vector r.
        la      p1, b
        la      p2, r
        la      p3, br
        call    product
        la      p1, a
        la      p2, br
        la      p3, abr
        call    product
        la      p1, c
        la      p2, r
        la      p3, cr
        call    product
        li      p1, 0
        li      p2, N
check:  load    p3, abr(p1)
        load    p4, cr(p1)
        bne     p3, p4, failed
        inc     p1
        blt     p1, p2, check
        jump    passed

product:                                ; matrix at p1 times vector at p2, to p3
        addi    p7, p3, N
        addi    p8, p2, N
1:      mv      p6, p2
        accset  zero
2:      load    p4, (p1)
        load    p5, (p6)
        mac     p4, p5
        inc     p1
        inc     p6
        blt     p6, p8, 2b
        accget  p4, 0
        store   p4, (p3)
        inc     p3
        blt     p3, p7, 1b
        ret

        .data
a:      scatter N * N, -99, 99, 17
b:      scatter N * N, -99, 99, 19
r:      scatter N, -9, 9, 23
c:      .space  N * N
br:     .space  N
abr:    .space  N
cr:     .space  N
