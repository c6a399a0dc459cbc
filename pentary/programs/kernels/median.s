; Median filter: each inner word becomes the median of itself and its two neighbours.
;
; The median of three needs no branch: it is the greatest of min(a, b) and min(max(a, b), c). A word is loaded once and
; kept in a register while the window moves over it.

        .param  N, 400
        .include "frame.s"

start:  la      p1, input
        la      p2, input + N - 1       ; the last word has no neighbour after it
        la      p3, output
kernel: load    p4, (p1)                ; a
        load    p5, 1(p1)               ; b
        store   p4, (p3)                ; the ends stay as they are
next:   inc     p1
        inc     p3
        load    p6, 1(p1)               ; c
        min     p7, p4, p5
        max     p8, p4, p5
        min     p8, p8, p6
        max     p7, p7, p8
        store   p7, (p3)
        mv      p4, p5
        mv      p5, p6
        addi    p9, p1, 1
        blt     p9, p2, next
        store   p5, 1(p3)
kernel_end:

; A median is one of the three, and at most one of them is less, and at most one greater.
        la      p1, input + 1
        la      p3, output + 1
check:  load    p7, (p3)
        li      p10, 0                  ; words that are less
        li      p11, 0                  ; words that are greater
        li      p12, 0                  ; words that are equal
        li      p13, -1
window: add     p14, p1, p13
        load    p4, (p14)
        sub     p4, p4, p7
        sign    p4, p4
        bz      p4, equal
        bgt     p4, zero, more
        inc     p10
        jump    1f
more:   inc     p11
        jump    1f
equal:  inc     p12
1:      inc     p13
        li      p14, 1
        ble     p13, p14, window
        li      p14, 1
        bgt     p10, p14, failed
        bgt     p11, p14, failed
        bz      p12, failed
        inc     p1
        inc     p3
        blt     p1, p2, check
        jump    passed

        .data
input:  scatter N, -500, 500, 1
output: .space  N
