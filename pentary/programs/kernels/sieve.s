; Sieve of Eratosthenes: marks the multiples of every prime below N, from its square on.

        .param  N, 2000
        .include "frame.s"

start:  li      p10, N
kernel: li      p1, 2
prime:  mul     p2, p1, p1
        bge     p2, p10, kernel_end
        load    p3, marks(p1)
        bnz     p3, 2f
        li      p4, 1
1:      store   p4, marks(p2)
        add     p2, p2, p1
        blt     p2, p10, 1b
2:      inc     p1
        jump    prime
kernel_end:

; Trial division of every number.
        li      p1, 2
check:  li      p2, 2
        li      p5, 0                   ; 1 if a divisor is found
1:      mul     p3, p2, p2
        bgt     p3, p1, 2f
        rem     p3, p1, p2
        inc     p2
        bnz     p3, 1b
        li      p5, 1
2:      load    p4, marks(p1)
        bne     p4, p5, failed
        inc     p1
        blt     p1, p10, check
        jump    passed

        .data
marks:  .space  N
