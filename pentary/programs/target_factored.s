; The experiment of target.s with factored perturbations: a member's weights are W +- S / 5^SIGMA_SHIFT, where W are the
; visible weights, the top pents of the latents, and S the product of the pair's factors. They are not rounded to pents.
;
; Weights are measured in units of 5^-SIGMA_SHIFT, so that all are integers: the row 5^SIGMA_SHIFT (W - target) of the
; centre is computed once a step, and a member's row differs from it by plus or minus S.
;
; Memory, after the text: matrices, fitness and scratch (es.s), weights: the latent words. During the evaluation scratch
; holds the rows of the centre.

        .param  POPULATION, 100
        .param  RANK, 8
        .param  STEPS, 50
        .param  SEED, 0
        .param  LATENT, 6               ; pents of a latent word
        .param  SHAPING, 1              ; 0 sign, 1 rank
        .param  ROWS, 64
        .param  COLS, 64
        .param  SIGMA_SHIFT, 1 + (RANK > 4)
        .param  FIRST_GAIN, limit(LATENT) * 5**8 // isqrt(STEPS * (POPULATION // 2) * 4 * RANK)

        .equ    STARTS, 0
        .equ    NOISE, 0
        .equ    LARGEST, ROWS * COLS
        .equ    FITNESS_LIMIT, ROWS * COLS * (4 * 5**SIGMA_SHIFT + 4 * RANK) ** 2

        .macro  perturb row
        LRMUL   \row
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
; evaluate: the rows of the centre; then for every pair, for every row, add up the squares of both members' rows.
;
; As in target.s, the fitness of a pair is fetched after the factors of the next pair have been ordered.
;
;     p1 pair   p2 row   p3 its latents   p4 its words in scratch   p5 ROWS   p6 PAIRS   p7, p8 1, -1   p9, p10 fitness
;     p11 DIAGONAL   p12 value on the diagonal   p13 -2   p14 5^SIGMA_SHIFT
;     v0 row of the centre   v1, v2 plus and minus member   v3 zeros, and the target   f0, f1 squared distances
; ---------------------------------------------------------------------------------------------------------------------
        .equ    DIAGONAL, min(ROWS, COLS)               ; rows with a diagonal element

evaluate:
        LI      p5, ROWS
        LRSET   rows, p5
        LI      p1, COLS
        LRSET   cols, p1
        SETVL   p1
        LOAD    p1, matrices + MATRIX_KEY(zero)
        LRSET   key, p1
        LI      p1, 0
        LRGEN   p1                                      ; needed soon, and the generator is idle
        LI      p6, PAIRS
        LI      p7, 1
        LI      p8, -1

        LI      p11, DIAGONAL
        LI      p12, 2
        LI      p13, -2
        LI      p14, 5**SIGMA_SHIFT
        LA      p3, weights
        LA      p4, scratch
        LI      p2, 0
        VSUB    v3, v3, v3
evaluate.centre:
        LOADV   v0, (p3)
        QUANT   v0, v0, LATENT - 1, 1
        VMULS   v0, v0, p14
        BGE     p2, p11, evaluate.store
        SHLI    p9, p12, SIGMA_SHIFT
        VSET    v3, p2, p9
        VSUB    v0, v0, v3
        VSET    v3, p2, zero
        DEC     p12
        BGE     p12, p13, evaluate.store
        LI      p12, 2
evaluate.store:
        STOREV  v0, (p4)
        ADDI    p3, p3, COLS
        ADDI    p4, p4, COLS
        INC     p2
        BLT     p2, p5, evaluate.centre

evaluate.pair:
        LI      p2, 0
        LA      p4, scratch
evaluate.row:
        LOADV   v0, (p4)
        perturb p2
        LRACC   v1, v0, p7
        LRACC   v2, v0, p8
        POPEVAL f0, v1, v3
        POPEVAL f1, v2, v3
        ADDI    p4, p4, COLS
        INC     p2
        BLT     p2, p5, evaluate.row
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
