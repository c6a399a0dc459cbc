; Texts: copies, lengths, comparison, reversal and capitals of texts that end with 0, a character in each word.

        .param  N, 12                   ; times
        .include "frame.s"

start:  li      p20, N
kernel: la      p1, text                ; copy
        la      p2, copy
        call    copied
        la      p1, copy                ; the copy is equal
        la      p2, text
        call    compared
        bnz     p3, failed
        la      p1, copy                ; capitals are less than small letters
        call    capitals
        la      p1, copy
        la      p2, text
        call    compared
        bge     p3, zero, failed
        la      p1, copy                ; twice reversed it is the same
        call    reversed
        la      p1, copy
        call    reversed
        la      p1, copy
        la      p2, large
        call    compared
        bnz     p3, failed
        dec     p20
        bnz     p20, kernel
        jump    kernel_end

copied: load    p3, (p1)                ; from p1 to p2
        store   p3, (p2)
        inc     p1
        inc     p2
        bnz     p3, copied
        ret

compared:                               ; p3 = difference of the first characters that differ, or 0
        load    p3, (p1)
        load    p4, (p2)
        inc     p1
        inc     p2
        sub     p5, p3, p4
        bnz     p5, 1f
        bnz     p3, compared
1:      mv      p3, p5
        ret

capitals:                               ; of the text at p1
        li      p4, 'a'
        li      p5, 'z'
1:      load    p3, (p1)
        bz      p3, 3f
        blt     p3, p4, 2f
        bgt     p3, p5, 2f
        addi    p3, p3, 'A' - 'a'
        store   p3, (p1)
2:      inc     p1
        jump    1b
3:      ret

reversed:                               ; the text at p1
        mv      p2, p1
1:      load    p3, (p2)
        inc     p2
        bnz     p3, 1b
        addi    p2, p2, -2              ; its last character
2:      bge     p1, p2, 3f
        load    p3, (p1)
        load    p4, (p2)
        store   p4, (p1)
        store   p3, (p2)
        inc     p1
        dec     p2
        jump    2b
3:      ret
kernel_end:
        jump    passed

        .data
text:   .string "DHRYSTONE PROGRAM, some String; with 5-valued digits"
large:  .string "DHRYSTONE PROGRAM, SOME STRING; WITH 5-VALUED DIGITS"
copy:   .space  large - text
