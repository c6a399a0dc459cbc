; Quicksort: sorts words in ascending order, in place.
;
; The ranges that are still to be sorted are on the stack, the larger one below, so that the stack stays short. The pivot
; is the middle word (Hoare's partition); its branches depend on the data, so about half of them are mispredicted.

        .param  N, 400
        .include "frame.s"

start:  call    sums
        mv      p20, p10
        mv      p21, p11
kernel: la      p1, words               ; first word of the range
        la      p2, words + N - 1       ; last one
        push    zero                    ; an empty range ends the loop
        push    zero
range:  bge     p1, p2, popped
        add     p3, p1, p2
        div2    p3, p3
        load    p4, (p3)                ; pivot
        addi    p5, p1, -1
        addi    p6, p2, 1
split:  inc     p5
        load    p7, (p5)
        blt     p7, p4, split
right:  dec     p6
        load    p8, (p6)
        bgt     p8, p4, right
        bge     p5, p6, halves
        store   p8, (p5)
        store   p7, (p6)
        jump    split
halves: addi    p5, p6, 1               ; p1..p6 and p5..p2
        sub     p7, p6, p1
        sub     p8, p2, p5
        bgt     p7, p8, left
        push    p5
        push    p2
        mv      p2, p6
        jump    range
left:   push    p1
        push    p6
        mv      p1, p5
        jump    range
popped: pop     p2
        pop     p1
        bnz     p2, range
kernel_end:

; In order, and the sum of the words and of their squares as before.
        call    sums
        bne     p10, p20, failed
        bne     p11, p21, failed
        la      p1, words
        la      p2, words + N - 1
check:  load    p3, (p1)
        load    p4, 1(p1)
        bgt     p3, p4, failed
        inc     p1
        blt     p1, p2, check
        jump    passed

sums:   la      p1, words
        la      p2, words + N
        li      p10, 0
        li      p11, 0
1:      load    p3, (p1)
        add     p10, p10, p3
        mul     p3, p3, p3
        add     p11, p11, p3
        inc     p1
        blt     p1, p2, 1b
        ret

        .data
words:  scatter N, -5000, 5000, 3
