; Training of a weight matrix towards a diagonal pattern with five-level members. To run it:
;
;     pentary run pentary/programs/target.s
;
; The target is zero but for its diagonal, which repeats 2, 1, 0, -1, -2. A member's weights are the top pents of
; latents +- SIGMA E, where E is the product of the pair's factors, quantised to pents; its fitness is minus the squared
; distance from the target. The step around it is in es.s, the same on NumPy in pentary/tasks/target.py.
;
; Memory, after the text: matrices, fitness and scratch (es.s), weights: the latent words.

        .param  POPULATION, 100
        .param  RANK, 8
        .param  STEPS, 50
        .param  SEED, 0
        .param  LATENT, 6               ; pents of a latent word
        .param  SHAPING, 1              ; 0 sign, 1 rank
        .param  ROWS, 64
        .param  COLS, 64
        .param  SIGMA, limit(LATENT - 1)
        .param  FIRST_GAIN, limit(LATENT) * 5**8 // isqrt(STEPS * (POPULATION // 2) * 2)

        .equ    STARTS, 0
        .equ    NOISE, 0
        .equ    LARGEST, ROWS * COLS
        .equ    FITNESS_LIMIT, 16 * ROWS * COLS

        .macro  perturb row
        LRMUL   \row
        PQUANT
        .endm

        .data
matrices:
        .word   ROWS, COLS, weights, 0
matrices_end:
        .include "es.s"
        .text

setup:
        RET

; ---------------------------------------------------------------------------------------------------------------------
; evaluate: for every pair, for every row: make the row of both members, add up their squared distances from the target.
;
; The pattern is never stored either: v3 is a row of zeros into which the row's diagonal element is set, and taken out
; again. The loop below the diagonal's values is unrolled five times, once for each of them, and ends with the last row
; that has a diagonal element; if their number is no multiple of five, the first round begins in its middle.
;
; The fitness of a pair is fetched after the factors of the next pair have been ordered: until the last rows have gone
; through all units, the generator is busy anyway. (After the last pair it draws factors that are not used.)
;
;     p1 pair   p2 row   p3 latents of the first row in this round   p4 DIAGONAL   p5 ROWS   p6 PAIRS
;     p7, p8 SIGMA, -SIGMA   p9, p10 fitness   p11..p15 the values on the diagonal, in the order of the rounds
;     v0 latents   v1, v2 plus and minus member   v3 target   f0, f1 squared distances
; ---------------------------------------------------------------------------------------------------------------------
        .equ    DIAGONAL, min(ROWS, COLS)               ; rows with a diagonal element
        .equ    LEFT_OUT, (5 - DIAGONAL % 5) % 5        ; rows that the first round does not have

        .macro  evaluate_row place                      ; place: of the row in its round
        LOADV   v0, \place * COLS(p3)
        perturb p2
        LRADD   v1, v0, p7
        POPEVAL f0, v1, v3
        LRADD   v2, v0, p8
        POPEVAL f1, v2, v3
        .endm

        .macro  diagonal_row place, value
        VSET    v3, p2, \value
        evaluate_row \place
        VSET    v3, p2, zero
        INC     p2
        .endm

evaluate:
        LI      p1, ROWS
        LRSET   rows, p1
        LI      p1, COLS
        LRSET   cols, p1
        SETVL   p1
        LOAD    p1, matrices + MATRIX_KEY(zero)
        LRSET   key, p1
        VSUB    v3, v3, v3
        LI      p4, DIAGONAL
        LI      p5, ROWS
        LI      p6, PAIRS
        LI      p7, SIGMA
        NEG     p8, p7
        LI      p11, 2 - (DIAGONAL + 0) % 5
        LI      p12, 2 - (DIAGONAL + 1) % 5
        LI      p13, 2 - (DIAGONAL + 2) % 5
        LI      p14, 2 - (DIAGONAL + 3) % 5
        LI      p15, 2 - (DIAGONAL + 4) % 5
        LI      p1, 0
        LRGEN   p1
evaluate.pair:
        LI      p2, 0
        LA      p3, weights - LEFT_OUT * COLS
        JUMP    evaluate.diagonal + LEFT_OUT * (evaluate.next - evaluate.diagonal) // 5
evaluate.diagonal:
        diagonal_row 0, p11
        diagonal_row 1, p12
        diagonal_row 2, p13
        diagonal_row 3, p14
        diagonal_row 4, p15
evaluate.next:
        ADDI    p3, p3, 5 * COLS
        BLT     p2, p4, evaluate.diagonal
        BEQ     p2, p5, evaluate.fitness
evaluate.below:                                         ; rows below the diagonal's end
        evaluate_row 0
        INC     p2
        ADDI    p3, p3, COLS
        BLT     p2, p5, evaluate.below
evaluate.fitness:
        INC     p1
        LRGEN   p1
        FITGET  p9, f0
        FITGET  p10, f1
        NEG     p9, p9
        NEG     p10, p10
        STORE   p9, fitness - 1(p1)
        ADD     p9, p1, p6
        STORE   p10, fitness - 1(p9)
        BLT     p1, p6, evaluate.pair
        RET

        .data
weights:
        .space  ROWS * COLS
