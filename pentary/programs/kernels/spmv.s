; Sparse matrix times vector: rows of a matrix as lists of columns and values (compressed sparse rows).
;
; Each element of the vector is loaded through an index, so its address depends on a load, and its line may be anywhere.
; With VECTOR = 1 a row is loaded and summed by vector instructions.

        .param  N, 60                   ; rows and columns
        .param  PER_ROW, 9              ; elements other than 0 in a row
        .param  VECTOR, 0
        .include "frame.s"

start:  la      p1, rows
        la      p9, rows + N
        la      p10, result
        la      p11, vector
        .if     VECTOR
kernel: load    p2, (p1)                ; first element of the row
        load    p3, 1(p1)               ; first one of the next
next:   sub     p4, p3, p2
        bz      p4, empty
        setvl   p4
        loadv   v1, columns(p2)
        loadv   v2, values(p2)
        loadvx  v3, v1, p11             ; the vector's elements in these columns
        mv      p6, p7                  ; of the row before, whose sum has come in the meantime
        vmul    v4, v3, v2
        vsum    p7, v4
        mv      p2, p3
        inc     p1
        inc     p10
        store   p6, -2(p10)             ; waits, as the next one does, until the elements are there
        load    p3, 1(p1)               ; one past the rows in the end, which is in memory
        blt     p1, p9, next
        store   p7, -1(p10)
        jump    kernel_end
empty:  store   p7, -1(p10)
        li      p7, 0
        inc     p1
        inc     p10
        load    p3, 1(p1)
        blt     p1, p9, next
        store   p7, -1(p10)
        .else
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
        .endif
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
        .space  1                       ; written before the first result
result: .space  N
