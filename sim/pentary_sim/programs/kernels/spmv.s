; Sparse matrix times vector: rows of a matrix as lists of columns and values (compressed sparse rows).
;
; Each element of the vector is loaded through an index, so its address depends on a load, and its line may be anywhere.

        .param  N, 60                   ; rows and columns
        .param  PER_ROW, 9              ; elements other than 0 in a row
        .include "frame.s"

start:  la      p1, rows
        la      p9, rows + N
        la      p10, result
        la      p11, vector
kernel: load    p2, (p1)                ; first element of the row
        load    p3, 1(p1)               ; first one of the next
        accset  zero
        bge     p2, p3, store
next:   load    p4, columns(p2)
        load    p5, values(p2)
        add     p4, p11, p4
        load    p6, (p4)
        inc     p2
        mac     p5, p6
        blt     p2, p3, next
store:  accget  p7, 0
        store   p7, (p10)
        inc     p1
        inc     p10
        blt     p1, p9, kernel
kernel_end:

; The same products, summed by columns: sum of all results = sum over the elements of value times vector.
        accset  zero
        li      p2, 0
        li      p3, N * PER_ROW
sum:    load    p4, columns(p2)
        load    p5, values(p2)
        add     p4, p11, p4
        load    p6, (p4)
        mac     p5, p6
        inc     p2
        blt     p2, p3, sum
        accget  p8, 0
        li      p7, 0
        la      p10, result
        la      p9, result + N
total:  load    p6, (p10)
        add     p7, p7, p6
        inc     p10
        blt     p10, p9, total
        bne     p7, p8, failed
        jump    passed

        .data
rows:
        .rept   N + 1, i
        .word   \i * PER_ROW
        .endr
columns:
        scatter N * PER_ROW, 0, N - 1, 7
values: scatter N * PER_ROW, -99, 99, 11
vector: scatter N, -99, 99, 13
result: .space  N
