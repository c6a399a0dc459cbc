; Towers of Hanoi: moves N discs from one peg to another by recursion; the classic load of calls, returns and a stack.
;
; A peg is an array with the discs from the bottom to the top, and above them a disc of size 0; `tops` has the address of
; that of each peg.

        .param  N, 8
        .include "frame.s"

start:  li      p10, 0                  ; moves
        la      p11, tops
kernel: li      p1, N                   ; discs to move
        li      p2, 0                   ; from this peg
        li      p3, 2                   ; to this one
        li      p4, 1                   ; the third
        call    tower
        jump    kernel_end

tower:  push    lr
        dec     p1
        bz      p1, 1f
        push    p3                      ; the discs above go to the third peg
        push    p4
        mv      p5, p3
        mv      p3, p4
        mv      p4, p5
        call    tower
        pop     p4
        pop     p3
1:      add     p5, p11, p2             ; the lowest moves
        load    p6, (p5)
        dec     p6
        load    p7, (p6)                ; the disc
        store   zero, (p6)
        store   p6, (p5)
        add     p5, p11, p3
        load    p6, (p5)
        load    p8, -1(p6)              ; what it is put on
        bge     p7, p8, failed
        store   p7, (p6)
        inc     p6
        store   p6, (p5)
        inc     p10
        bz      p1, 2f
        push    p2                      ; and the discs above follow
        push    p4
        mv      p5, p2
        mv      p2, p4
        mv      p4, p5
        call    tower
        pop     p4
        pop     p2
2:      inc     p1
        pop     lr
        ret
kernel_end:

; 2^N - 1 moves, and all discs on the last peg in their order.
        li      p1, 2 ** N - 1
        bne     p10, p1, failed
        li      p1, N
        la      p2, last
check:  load    p3, (p2)
        bne     p3, p1, failed
        inc     p2
        dec     p1
        bnz     p1, check
        jump    passed

        .data
tops:   .word   first + N, second, last
        .word   limit(16)               ; below each peg lies the greatest disc
first:
        .rept   N, i
        .word   N - \i
        .endr
        .word   0
        .word   limit(16)
second: .space  N + 1
        .word   limit(16)
last:   .space  N + 1
