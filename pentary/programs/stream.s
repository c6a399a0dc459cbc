; Evolution strategies for a network that reads text: digests equal those of pentary/nets/lm/evolve.py.
;
; Every pair reads TOKENS bytes of its own place in the text in a step, and goes on there in the next one with the hidden
; states that it has come to. Perturbations are of rank 1, and all tensors have their factors in one stream of noise for
; each pair, under one key. Shaped fitness is proportional to the difference of a pair's members, and the step size to
; one over the root of its squares.
;
; A program for a network, written by the compiler, sets the constants
;     POPULATION TOKENS STEPS SEED LATENT       as in pentary/nets/lm/evolve.py
;     LARGEST                                   words of the largest tensor
;     RANK, STARTS, NOISE                       1
;     QUANTIZED                                 0
; and the data
;     matrices         a line for each tensor, as in es.s and noise.s, and the variance of its perturbation: 4 for a
;                      matrix, 2 for a vector
;     matrices_end
; then includes this file, and goes on with the routine
;     evaluate         puts minus the loss of every member into memory; p20 is the number of the step
; p1..p19 are changed by every routine, p20 is the number of the step, p21..p28 by `shape`, `update` and `evaluate`.

        .param  FIRST, 0                ; steps that are made already: a host writes latent words and hidden states
        .equ    PAIRS, POPULATION // 2
        .equ    MATRIX_ROWS, 0          ; places in a line of `matrices`
        .equ    MATRIX_COLS, 1
        .equ    MATRIX_WORDS, 2
        .equ    MATRIX_KEY, 3
        .equ    MATRIX_START, 4
        .equ    MATRIX_FACTORS, 5
        .equ    MATRIX_VARIANCE, 12
        .equ    MATRIX_LINE, 13

        .equ    MEAN, 20                ; mean magnitude of shaped fitness
        .equ    GREATEST, 62            ; its largest
        .equ    ETA, 6                  ; step size in tenths

; ---------------------------------------------------------------------------------------------------------------------
; The run. A host reads the latent words at `step_done`, and the members' fitness at `evaluated`.
; ---------------------------------------------------------------------------------------------------------------------
        .text
start:
        LI      p1, LATENT
        LRSET   width, p1
        LI      p20, FIRST
        .if     FIRST == 0
        CALL    draw_keys
        CALL    draw_latents
        .endif
step_done:
        LI      p1, STEPS
        BEQ     p20, p1, finish
        INC     p20
        CALL    draw_key
        CALL    evaluate
evaluated:
        CALL    shape
        CALL    update
        JUMP    step_done
finish:
        HALT

        .include "draws.s"

; ---------------------------------------------------------------------------------------------------------------------
; draw_key: the key of all tensors in step p20, prng(SEED, step * 5^6).
;
;     p1 seed, then line of the tensor   p2 counter   p4 end of the lines   p5 key
; ---------------------------------------------------------------------------------------------------------------------
draw_key:
        LI      p1, SEED
        SHLI    p2, p20, 6
        PRNG    p5, p1, p2
        LA      p1, matrices
        LA      p4, matrices_end
key.tensor:
        STORE   p5, MATRIX_KEY(p1)
        ADDI    p1, p1, MATRIX_LINE
        BLT     p1, p4, key.tensor
        RET

; ---------------------------------------------------------------------------------------------------------------------
; shape: turn the fitness of each pair into an integer, in place, and leave the sum of the squares in p21.
;
; With d = f(plus) - f(minus) it is the sign of d times the lesser of GREATEST and
; floor((2 MEAN PAIRS |d| + T) / (2 T)), T the sum of all |d|, or 1.
;
;     p1, p2 fitness of the plus and of the minus member   p3 end of the former   p4 d   p5 |d|   p6 T, then 2 T
;     p7 T   p8 2 MEAN PAIRS   p9 GREATEST
; ---------------------------------------------------------------------------------------------------------------------
shape:
        LA      p1, fitness
        LA      p2, fitness + PAIRS
        LA      p3, fitness + PAIRS
        LI      p6, 0
shape.difference:
        LOAD    p4, (p1)
        LOAD    p5, (p2)
        SUB     p4, p4, p5
        STORE   p4, (p1)
        ABS     p5, p4
        ADD     p6, p6, p5
        INC     p1
        INC     p2
        BLT     p1, p3, shape.difference
        LI      p7, 1
        MAX     p7, p7, p6
        MUL2    p6, p7
        LI      p8, 2 * MEAN * PAIRS
        LI      p9, GREATEST
        LI      p21, 0
        LA      p1, fitness
shape.pair:
        LOAD    p4, (p1)
        ABS     p5, p4
        MUL     p5, p5, p8
        ADD     p5, p5, p7
        DIV     p5, p5, p6
        MIN     p5, p5, p9
        MUL     p10, p5, p5
        ADD     p21, p21, p10
        SIGN    p4, p4
        MUL     p5, p5, p4
        STORE   p5, (p1)
        INC     p1
        BLT     p1, p3, shape.pair
        RET

; ---------------------------------------------------------------------------------------------------------------------
; update: add gain * (sum over the pairs of shaped fitness * perturbation) / 5^8 to every latent word.
;
; The gain of a tensor is floor(limit(LATENT) 5^8 ETA / (10 isqrt(STEPS p21 variance))) in the first half of the steps,
; and then falls linearly to 0.
;
;     p1 line of the tensor   p2 STEPS p21 variance   p3 its root   p4 bit of the root   p5 p3 + p4   p6 greatest root
;     p7 gain   p13 PAIRS   p14 end of the lines   p28 return address
; ---------------------------------------------------------------------------------------------------------------------
        .equ    FALLING, STEPS - STEPS // 2

update:
        BZ      p21, update.none
        MV      p28, lr
        LA      p1, matrices
        LA      p14, matrices_end
        LI      p13, PAIRS
update.tensor:
        LOAD    p2, MATRIX_VARIANCE(p1)
        MUL     p2, p2, p21
        LI      p3, STEPS
        MUL     p2, p2, p3
        LI      p3, 0
        LI      p4, 2 ** 18
        LI      p6, isqrt(limit(16))
update.root:
        ADD     p5, p3, p4
        BGT     p5, p6, update.less     ; its square is no word
        MUL     p7, p5, p5
        BGT     p7, p2, update.less
        MV      p3, p5
update.less:
        DIV2    p4, p4
        BNZ     p4, update.root
        LI      p4, 10
        MUL     p3, p3, p4
        LI      p7, limit(LATENT) * 5 ** 8 * ETA
        DIV     p7, p7, p3
        LI      p3, FALLING
        LI      p4, STEPS + 1
        SUB     p4, p4, p20
        MIN     p4, p4, p3
        MUL     p7, p7, p4
        DIV     p7, p7, p3
        LRSET   gain, p7
        CALL    update_noise
        ADDI    p1, p1, MATRIX_LINE
        BLT     p1, p14, update.tensor
        MV      lr, p28
update.none:
        RET

        .data
fitness:
        .space  POPULATION
scratch:
        .space  LARGEST
