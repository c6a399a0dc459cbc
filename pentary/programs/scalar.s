; A scalar loop to measure the simulator with: no unit but the pipeline works. Over an array that does not fit the first
; level of cache, it flips the sign of what is negative, and keeps the sum and the greatest.
;
;     p1 address   p2 end   p3 word   p4 sum   p5 greatest   p6 rounds to go

        .param  ROUNDS, 1000
        .param  WORDS, 10000

        .text
        LI      p6, ROUNDS
round:
        LA      p1, array
        LA      p2, array + WORDS
        LI      p4, 0
        LI      p5, -limit(16)
word:
        LOAD    p3, (p1)
        ADD     p3, p3, p6
        BGE     p3, zero, positive
        NEG     p3, p3
positive:
        ADD     p4, p4, p3
        MAX     p5, p5, p3
        SUB     p3, zero, p3
        STORE   p3, (p1)
        INC     p1
        BLT     p1, p2, word
        DEC     p6
        BNZ     p6, round
        HALT

        .data
array:
        .space  WORDS
