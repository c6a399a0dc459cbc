; A forest of jumps: N blocks, each of which jumps to another one far away; every block is visited ROUNDS times.
;
; The next of block i is block (6 i + 1) modulo N, which visits all blocks if N is a power of 5. In each block a branch
; is taken or not by a number that changes from visit to visit. More blocks than the branch target buffer or the first
; level of the instruction cache holds make most jumps and fetches miss.

        .param  N, 125
        .param  ROUNDS, 8
        .include "frame.s"
        .equ    BLOCK, 5                ; instructions of a block

start:  li      p1, N * ROUNDS          ; visits to go
        li      p2, 0                   ; sum of the numbers of the blocks
        li      p3, 1                   ; a number that changes
        li      p4, 0                   ; how often the branch was not taken
kernel:
        .rept   N, i
        bz      p1, kernel_end          ; BLOCK instructions
        dec     p1
        addi    p2, p2, \i
        call    changed
        jump    kernel + (6 * \i + 1) % N * BLOCK
        .endr

changed:                                ; p3 = -2 p3 + 1, within 8 pents; count it if it is negative
        muli    p3, p3, -2
        inc     p3
        shri    p5, p3, 8
        shli    p5, p5, 8
        sub     p3, p3, p5
        bge     p3, zero, 1f
        inc     p4
1:      ret
kernel_end:
        li      p5, N * (N - 1) // 2 * ROUNDS
        bne     p2, p5, failed
        bz      p4, failed
        jump    passed
