; Evolution strategies on the pentary processor: the part that all tasks share. Digests equal those of pentary/es/strategy.py.
;
; A step evaluates POPULATION members: the centre plus and minus the perturbation of each of PAIRS pairs. No member and
; no perturbation is ever stored: LRGEN draws the factors of a pair again from (key, pair) wherever they are needed.
;
; A task is a program that first sets the constants
;     POPULATION RANK STEPS SEED LATENT SHAPING FIRST_GAIN      as in target.s
;     LARGEST          words of the largest weight matrix
;     FITNESS_LIMIT    largest magnitude of a member's fitness
;     STARTS           1 if a line of `matrices` says how its latent words are drawn, 0 if all are uniform
;     NOISE            1 if a line also says where its factors are, see noise.s, which the task includes then
; defines the macro
;     perturb row      leaves a row of the pair's perturbation in the sums of the low-rank unit
; and the data
;     matrices         a line for each weight matrix: rows, columns, address of its latent words, a word for its key; and if
;                      STARTS is 1, of how many uniform words an initial latent word is the mean: 0, 1 or 5
;     matrices_end
; then includes this file, and goes on with the routines
;     setup            called once, before anything else
;     evaluate         puts the fitness of every member into memory
; and the latent words. They stand behind `scratch`, past the end of which a row is read ahead.
;
; Scalar registers: p1..p19 are changed by every routine, p20 is the number of the step, p21..p28 are the task's;
; with NOISE, `update` changes p24..p28.
;
; Memory, beside the task's own:
;     fitness          PAIRS words of the plus members, PAIRS of the minus members; shaping works in their place
;     scratch          LARGEST words: sums over the population during the update, free for the task in between

        .param  FIRST, 0                ; steps that are made already: a host writes the latent words of the last one
        .param  PRINT, 0                ; 1: at the end, write the latent words to the console, one on a line
        .equ    PAIRS, POPULATION // 2
        .equ    MATRIX_ROWS, 0          ; places in a line of `matrices`
        .equ    MATRIX_COLS, 1
        .equ    MATRIX_WORDS, 2
        .equ    MATRIX_KEY, 3
        .equ    MATRIX_START, 4
        .equ    MATRIX_FACTORS, 4 + STARTS
        .equ    MATRIX_LINE, MATRIX_FACTORS + 7 * NOISE

        .assert POPULATION % 2 == 0, "POPULATION must be even: members come in antithetic pairs"
        .assert STEPS * STEPS <= limit(16), "STEPS is too large: the gain of a step is computed in words"
        .assert 0 <= FIRST_GAIN, "FIRST_GAIN must not be negative"
        .assert FIRST_GAIN <= limit(15), "FIRST_GAIN is too large for the gain register: take more steps or pairs"
        .assert scratch >= 256, "a row before scratch is read ahead, and memory begins at 0"
        .assert 4 * FITNESS_LIMIT <= limit(16), "a fitness could be too large: doubled differences must fit a word"

; ---------------------------------------------------------------------------------------------------------------------
; The run. A host reads the latent words at `step_done`, and the members' fitness at `evaluated`.
; ---------------------------------------------------------------------------------------------------------------------
        .text
start:
        LI      p1, RANK
        LRSET   rank, p1
        LI      p1, LATENT
        LRSET   width, p1
        CALL    setup
        LI      p20, FIRST
        .if     FIRST == 0
        CALL    draw_keys
        CALL    draw_latents
        .endif
step_done:                              ; once for the start, then after every step
        LI      p1, STEPS
        BEQ     p20, p1, finish
        INC     p20
        CALL    draw_keys
        CALL    evaluate
evaluated:
        CALL    shape
        CALL    update
        JUMP    step_done
finish:
        .if     PRINT
        .include "runtime.s"
        LA      p10, matrices
print.matrix:
        LOAD    p11, MATRIX_ROWS(p10)
        LOAD    p12, MATRIX_COLS(p10)
        MUL     p11, p11, p12
        LOAD    p12, MATRIX_WORDS(p10)
        ADD     p11, p11, p12
print.word:
        LOAD    p1, (p12)
        CALL    print_number
        newline
        INC     p12
        BLT     p12, p11, print.word
        ADDI    p10, p10, MATRIX_LINE
        LA      p1, matrices_end
        BLT     p10, p1, print.matrix
        .endif
        HALT

        .include "draws.s"

; ---------------------------------------------------------------------------------------------------------------------
; shape: turn the fitness of each pair into a pent, in place.
;
; With d = f(plus) - f(minus), SHAPING = 1 orders the pairs by |d|, equal ones by their number: the first third becomes
; 0, the last fifth 2 sign(d), the rest sign(d). With SHAPING = 0 both of these parts are empty: all become sign(d).
;
; Nothing is sorted. To be among the first k means to have |d| below a bound, or equal to it and to come early enough:
; `select` finds the bound by bisection, and how many of those equal to it belong to the first k. Meanwhile d is where
; f(plus) was, and 2 |d| where f(minus) was, doubled because `count` needs even numbers. At last the pent replaces d.
;
;     p1, p2 words of the plus and of the minus members   p3 pairs to go   p4 256   p5 of them in this vector
;     p9 the greatest |d|   p18 return address
;     then, for the first third and for all but the last fifth: p12, p13 bounds of 2 |d|, and p14, p15 how many of those
;     equal to the bound are still to come   p6 d   p7 2 |d|   p8 pent
; ---------------------------------------------------------------------------------------------------------------------
        .equ    NOT_COUNTED, SHAPING * (PAIRS // 3)
        .equ    NOT_DOUBLED, PAIRS - SHAPING * (PAIRS // 5)

        .macro  belongs bound, equal, yes               ; goes to yes if the pair belongs to the part with this bound
        BLT     p7, \bound, \yes
        BGT     p7, \bound, no\@
        BZ      \equal, no\@
        DEC     \equal
        JUMP    \yes
no\@:
        .endm

shape:
        MV      p18, lr
        LA      p1, fitness
        LA      p2, fitness + PAIRS
        LI      p3, PAIRS
        LI      p4, 256
        LI      p9, 0
        SETVL   p4
        VSUB    v7, v7, v7              ; zeros, for here and for `count`
shape.vector:
        MIN     p5, p3, p4
        SETVL   p5
        LOADV   v0, (p1)
        LOADV   v1, (p2)
        VSUB    v0, v0, v1              ; d
        VSUB    v1, v7, v0
        RELU    v1, v1
        RELU    v2, v0
        VADD    v1, v1, v2              ; |d|, one of the two is 0
        VADD    v2, v1, v1
        STOREV  v0, (p1)
        STOREV  v2, (p2)
        SETVL   p4                      ; what is beyond the end is 0, and no greatest magnitude
        POOL    v1, v1, 16
        POOL    v1, v1, 16
        VGET    p6, v1, zero
        MAX     p9, p9, p6
        ADD     p1, p1, p5
        ADD     p2, p2, p5
        SUB     p3, p3, p5
        BNZ     p3, shape.vector

        LI      p16, NOT_COUNTED
        CALL    select
        MV      p12, p10
        MV      p14, p16
        LI      p16, NOT_DOUBLED
        CALL    select
        MV      p13, p10
        MV      p15, p16

        LA      p1, fitness
        LA      p2, fitness + PAIRS
        LI      p3, PAIRS
shape.pair:
        LOAD    p6, (p1)
        LOAD    p7, (p2)
        SIGN    p8, p6
        belongs p13, p15, shape.single
        MUL2    p8, p8
shape.single:
        belongs p12, p14, shape.zero
        JUMP    shape.next
shape.zero:
        LI      p8, 0
shape.next:
        STORE   p8, (p1)
        INC     p1
        INC     p2
        DEC     p3
        BNZ     p3, shape.pair
        MV      lr, p18
        RET

; ---------------------------------------------------------------------------------------------------------------------
; select: find which pairs are the first k = p16 by |d|.
;
; a is the least magnitude that, with all below it, k pairs or more have. Result: p10 = 2 a, and p16 = how many of those
; equal to a belong. Uses what `shape` has left: p4, p9, v7, and 2 |d| in memory.
;
;     p6 least, p7 greatest value that a may still have   p8 in the middle   p17 4 PAIRS - 4 k   p19 return address
; ---------------------------------------------------------------------------------------------------------------------
select:
        MV      p19, lr
        LI      p17, PAIRS
        SUB     p17, p17, p16
        SHLI    p8, p17, 1
        SUB     p17, p8, p17            ; 5 n - n
        LI      p6, 0
        MV      p7, p9
select.halve:
        BEQ     p6, p7, select.found
        ADD     p8, p6, p7
        DIV2    p8, p8
        MUL2    p10, p8
        CALL    count
        BGT     p11, p17, select.above
        MV      p7, p8                  ; no more than PAIRS - k are above the middle: it is large enough
        JUMP    select.halve
select.above:
        ADDI    p6, p8, 1
        JUMP    select.halve
select.found:
        MUL2    p10, p6
        ADDI    p10, p10, -2
        CALL    count                   ; four times the pairs that are equal to a, or above it
        ADDI    p10, p10, 2
        SUB     p16, p11, p17           ; less those that do not belong
        DIV2    p16, p16
        DIV2    p16, p16
        MV      lr, p19
        RET

; ---------------------------------------------------------------------------------------------------------------------
; count: p11 = four times the number of pairs with 2 |d| above p10, which is even.
;
; An even difference, cut to a pent, is -2, 0 or 2. RELU leaves 2 for those above, and POPEVAL adds the squares up.
;
;     p1 words   p2 -p10   p3 pairs to go   p5 of them in this vector
; ---------------------------------------------------------------------------------------------------------------------
count:
        LA      p1, fitness + PAIRS
        LI      p3, PAIRS
        NEG     p2, p10
count.vector:
        MIN     p5, p3, p4
        SETVL   p5
        LOADV   v0, (p1)
        VADDS   v0, v0, p2
        QUANT   v0, v0, 0, 1
        RELU    v0, v0
        POPEVAL f0, v0, v7
        ADD     p1, p1, p5
        SUB     p3, p3, p5
        BNZ     p3, count.vector
        FITGET  p11, f0
        RET

; ---------------------------------------------------------------------------------------------------------------------
; update: add gain * (sum over the pairs of pent * perturbation) / 5^8 to every latent word.
;
; The gain of step t is floor(FIRST_GAIN * (STEPS - t + 1) / STEPS). That product may need 25 pents, so FIRST_GAIN is
; divided first: of a STEPS + b, the part a STEPS needs no division, and b (STEPS - t + 1) fits a word.
;
; Pairs with pent 0 are left out. The next one is looked for while the unit draws the factors of this one.
;
; Each unit takes its instructions in order, and a store waits for its data. So in a row, the words of the next row are
; loaded before those of this one are stored: at the end one row beyond the last, which is not used. Two rows in turns
; use two vector registers, so that the next row need not wait until this one is stored. The sums of a pair
; go from the first row to the last, the latent words are moved from the last row to the first, so that what is needed
; first after that, here and in the next step, is what the data cache still holds.
;
;     p1 line of the matrix   p2 rows   p3 columns   p4 latent words   p5 key
;     p6 sums of the row to be loaded   p7 of the row to be stored   p8 end of the sums   p9 next pair   p10 its pent
;     p11 row   p12 pent of this pair   p13 PAIRS   p14 end of the lines
;     in the end: p4, p6 latents and sums of the row to be loaded   p7 first sums   p8 latents of the row to be stored
;     v0 sums (in the end latents)   v1, v2 new sums (in the end sums, new latents)
; ---------------------------------------------------------------------------------------------------------------------
        .macro  update_row sums
        perturb p11
        LRACC   \sums, v0, p12
        ADD     p6, p6, p3
        LOADV   v0, (p6)
        STOREV  \sums, (p7)
        MV      p7, p6
        INC     p11
        .endm

update:
        LI      p1, STEPS
        SUB     p2, p1, p20
        INC     p2
        LI      p3, FIRST_GAIN // STEPS
        MUL     p3, p3, p2
        LI      p4, FIRST_GAIN % STEPS
        MUL     p4, p4, p2
        DIV     p4, p4, p1
        ADD     p3, p3, p4
        LRSET   gain, p3

        LA      p1, matrices
        LA      p14, matrices_end
        LI      p13, PAIRS
        .if     NOISE
        MV      p28, lr
        .endif
update.matrix:
        .if     NOISE
        LOAD    p2, MATRIX_FACTORS(p1)
        BZ      p2, update.unit
        CALL    update_noise
        JUMP    update.line
update.unit:
        .endif
        LOAD    p2, MATRIX_ROWS(p1)
        LOAD    p3, MATRIX_COLS(p1)
        LOAD    p4, MATRIX_WORDS(p1)
        LOAD    p5, MATRIX_KEY(p1)
        LRSET   rows, p2
        LRSET   cols, p3
        LRSET   key, p5
        SETVL   p3

        LA      p6, scratch
        MUL     p8, p2, p3
        ADD     p8, p8, p6
        VSUB    v0, v0, v0
update.clear:
        STOREV  v0, (p6)
        ADD     p6, p6, p3
        BLT     p6, p8, update.clear

        LI      p9, -1
        next_pair
        BEQ     p9, p13, update.move    ; every pent is 0
update.pair:
        LRGEN   p9
        MV      p12, p10
        next_pair
        LA      p6, scratch
        LA      p7, scratch
        LI      p11, 0
        LOADV   v0, (p6)
update.row:
        update_row v1
        BGE     p11, p2, update.next
        update_row v2
        BLT     p11, p2, update.row
update.next:
        BLT     p9, p13, update.pair

update.move:                            ; from the last row up: the next step finds the first ones in the cache
        LA      p7, scratch
        SUB     p6, p8, p3
        SUB     p8, p6, p7
        ADD     p8, p4, p8
        LOADV   v0, (p8)
        LOADV   v1, (p6)
update.latents:
        POPAVG  v2, v0, v1
        SUB     p4, p8, p3
        SUB     p6, p6, p3
        LOADV   v0, (p4)
        LOADV   v1, (p6)
        STOREV  v2, (p8)
        MV      p8, p4
        BGE     p6, p7, update.latents

update.line:
        ADDI    p1, p1, MATRIX_LINE
        BLT     p1, p14, update.matrix
        .if     NOISE
        MV      lr, p28
        .endif
        RET

        .data
fitness:
        .space  POPULATION
scratch:
        .space  LARGEST
