; Handwritten digits: train the integer network 64-64-10 of pentary/tasks/digits.py, with factored perturbations.
;
;     h = clamp(round(x W / 5^2), 0, 62)      z = clamp(round(h V / 5), -312, 312)
;     loss of an image = sum over the wrong classes c of max(0, 12 + z[c] - z[right])^2
;
; A member has W +- S / 5^q in place of the visible weights W, q = SIGMA_SHIFT, and S the product of the pair's factors A
; and B; so it computes clamp(round((5^q x W +- (x A) B^T) / 5^(q + 2))), and the same with V. Its fitness is minus the
; loss on the 128 training images of the step, which follow one another through the training images, and start again.
;
; Before the run a host writes the training images to `pixels` and `classes`: without, all are black zeros.
;
; Memory, after the text: fitness and scratch (es.s), then
;     matrices, hidden, output    the latent words of W and V
;     batch                       for each image of the step: 64 pixels, and the 64 words of 5^q x W, which all members share
;     batch_classes               its right class
;     activations                 for each image of a block: h of the plus member, h of the minus member
;     outputs_plus, _minus        5^q h V +- (h A) B^T, 10 words an image
;     right                       for each image 10 words, 312 for the right class and -312 for the others
;     pixels, classes             the training images
;
; Crossbar: W, and after the shared products V, in the rows 0..63. The rows 64..223 hold a block of 10 x 10 ones for each
; image of a block, in the columns 0..159: they add up 10 words and give each of them the sum.

        .param  POPULATION, 1024
        .param  RANK, 1
        .param  STEPS, 3000
        .param  SEED, 0
        .param  LATENT, 6               ; pents of a latent word
        .param  SHAPING, 1              ; 0 sign, 1 rank
        .param  SIGMA_SHIFT, 1 + (RANK > 4)
        .param  FIRST_GAIN, limit(LATENT) * 5**8 // isqrt(STEPS * (POPULATION // 2) * 4 * RANK)
        .param  IMAGES, 1347            ; training images

        .equ    INPUTS, 64
        .equ    HIDDEN, 64
        .equ    CLASSES, 10
        .equ    HIDDEN_SHIFT, 2
        .equ    OUTPUT_SHIFT, 1
        .equ    MARGIN, 12
        .equ    BATCH, 128
        .equ    BLOCK, 16               ; images for which a pair is evaluated before the next pair is
        .equ    OUTPUTS, BLOCK * CLASSES
        .equ    EXTREME, limit(4)       ; greatest output

        .equ    LARGEST, INPUTS * HIDDEN
        .equ    FITNESS_LIMIT, BATCH * CLASSES * (2 * EXTREME + MARGIN) ** 2

        .macro  perturb row
        LRMUL   \row
        .endm

        .include "es.s"
        .text

; ---------------------------------------------------------------------------------------------------------------------
; setup: the blocks of ones in the crossbar; the step's images begin with the first.
;
;     p21 next training image   p22 its class   p23 end of the images; these three are kept
;     p1 row   p2 first column of the block   p3 end of the block's rows and columns   p4 column   p5 end of all blocks
; ---------------------------------------------------------------------------------------------------------------------
setup:
        LA      p21, pixels
        LA      p22, classes
        LA      p23, pixels + IMAGES * INPUTS
        LI      p1, 256
        SETVL   p1
        LI      p6, 1
        LI      p1, INPUTS
        LI      p2, 0
        LI      p5, OUTPUTS
setup.block:
        ADDI    p3, p2, CLASSES
        VSUB    v0, v0, v0
        MV      p4, p2
setup.one:
        VSET    v0, p4, p6
        INC     p4
        BLT     p4, p3, setup.one
setup.row:
        LOADX   v0, p1
        INC     p1
        INC     p2
        BLT     p2, p3, setup.row
        BLT     p2, p5, setup.block
        RET

; ---------------------------------------------------------------------------------------------------------------------
; load_crossbar: write visible weights, the top pents of latent words, into the rows 0..63 of the crossbar.
;
;     p1 latents of the first row   p2 columns, which become VL   p3 row   p4 rows
; ---------------------------------------------------------------------------------------------------------------------
load_crossbar:
        SETVL   p2
        LI      p3, 0
        LI      p4, INPUTS
crossbar.row:
        LOADV   v0, (p1)
        QUANT   v0, v0, LATENT - 1, 1
        LOADX   v0, p3
        ADD     p1, p1, p2
        INC     p3
        BLT     p3, p4, crossbar.row
        RET

; ---------------------------------------------------------------------------------------------------------------------
; evaluate: the fitness of every member.
;
; The images are taken in blocks, and every pair is evaluated on a block before the next one: what a block needs again
; and again, 4,700 words, stays in the data cache. So the fitness is summed up in memory, block after block.
;
; The generator and the low-rank unit hold the factors of one matrix at a time. So a pair's block goes through the hidden
; layer, then through the output layer, then the loss is added up. The factors that come next are ordered as soon as
; the low-rank unit has nothing more to do with the last ones.
;
;     p24 first image of the block in batch   p25 its class   p28 return address
;     p1 pair   p2 image   p3 its activations   p4 its outputs   p5 end of the loop
;     p6 64   p7 10   p8, p9 1, -1   p10 5^q   p11, p12 keys of hidden and output   p13, p14 VL in the loss   p15 MARGIN...
;     p16, p17 loss, fitness   p18 PAIRS
; ---------------------------------------------------------------------------------------------------------------------
        .macro  hidden_sums number, x, base, next_x, next_base, plus, minus
        LOADV   \next_x, (\number + 1) * (INPUTS + HIDDEN)(p2)
        LOADV   \next_base, (\number + 1) * (INPUTS + HIDDEN) + INPUTS(p2)
        LRMULX  \x
        LRACC   \plus, \base, p8
        LRACC   \minus, \base, p9
        .endm

        .macro  hidden_store number, plus, minus
        QUANT   \plus, \plus, HIDDEN_SHIFT + SIGMA_SHIFT, 3
        QUANT   \minus, \minus, HIDDEN_SHIFT + SIGMA_SHIFT, 3
        RELU    \plus, \plus
        RELU    \minus, \minus
        STOREV  \plus, \number * 2 * HIDDEN(p3)
        STOREV  \minus, \number * 2 * HIDDEN + HIDDEN(p3)
        .endm

        .macro  output_sums number, h_plus, h_minus, next_plus, next_minus, plus, minus
        LOADV   \next_plus, (\number + 1) * 2 * HIDDEN(p3)
        LOADV   \next_minus, (\number + 1) * 2 * HIDDEN + HIDDEN(p3)
        SETVL   p7
        MATVEC  \plus, \h_plus
        MATVEC  \minus, \h_minus
        LRMULX  \h_plus
        VMULS   \plus, \plus, p10
        LRACC   \plus, \plus, p8
        LRMULX  \h_minus
        VMULS   \minus, \minus, p10
        LRACC   \minus, \minus, p9
        SETVL   p6
        .endm

        .macro  output_store number, plus, minus
        SETVL   p7
        STOREV  \plus, \number * CLASSES(p4)
        STOREV  \minus, \number * CLASSES + OUTPUTS(p4)
        SETVL   p6
        .endm

evaluate:
        MV      p28, lr

        ; The loss adds up MARGIN^2 for the right class of each image, too: begin with as much.
        LI      p1, BATCH * MARGIN ** 2
        LA      p2, fitness
        LA      p3, fitness + POPULATION
evaluate.begin:
        STORE   p1, (p2)
        INC     p2
        BLT     p2, p3, evaluate.begin

        LI      p6, INPUTS
        LRSET   rows, p6
        LI      p7, CLASSES
        LI      p8, 1
        LI      p9, -1
        LI      p10, 5**SIGMA_SHIFT
        LOAD    p11, matrices + MATRIX_KEY(zero)
        LOAD    p12, matrices + MATRIX_LINE + MATRIX_KEY(zero)
        LI      p13, INPUTS + OUTPUTS
        LI      p14, OUTPUTS
        LI      p15, EXTREME + MARGIN
        LI      p18, PAIRS
        LI      p24, BATCH // BLOCK
evaluate.block:
        LA      p1, hidden
        LI      p2, HIDDEN
        CALL    load_crossbar
        SETVL   p13
        VSUB    v6, v6, v6
        LI      p1, -EXTREME
        VADDS   v6, v6, p1
        LI      p1, EXTREME
        LI      p2, INPUTS
        LA      p3, images
evaluate.copy:
        SETVL   p6
        LOADV   v0, (p21)
        MATVEC  v1, v0
        VMULS   v1, v1, p10
        STOREV  v0, (p3)
        STOREV  v1, INPUTS(p3)
        LOAD    p4, (p22)
        ADD     p4, p4, p2
        SETVL   p13
        VSET    v6, p4, p1
        ADDI    p2, p2, CLASSES
        ADDI    p3, p3, INPUTS + HIDDEN
        INC     p22
        ADDI    p21, p21, INPUTS
        BLT     p21, p23, evaluate.copied
        LA      p21, pixels
        LA      p22, classes
evaluate.copied:
        BLT     p2, p13, evaluate.copy
        LA      p1, right
        STOREV  v6, (p1)
        LA      p1, output
        LI      p2, CLASSES
        CALL    load_crossbar

        LI      p1, 0
        LRSET   cols, p6
        LRSET   key, p11
        LRGEN   p1
evaluate.pair:

        ; Hidden layer.
        SETVL   p6
        LA      p2, images
        LA      p3, activations
        LA      p5, activations + (BLOCK - 2) * 2 * HIDDEN
        LOADV   v0, (p2)
        LOADV   v1, INPUTS(p2)
        hidden_sums  0, v0, v1, v2, v3, v4, v5
evaluate.hidden:
        hidden_sums  1, v2, v3, v0, v1, v6, v7
        hidden_store 0, v4, v5
        ADDI    p2, p2, 2 * (INPUTS + HIDDEN)
        hidden_sums  0, v0, v1, v2, v3, v4, v5
        hidden_store 1, v6, v7
        ADDI    p3, p3, 2 * 2 * HIDDEN
        BLT     p3, p5, evaluate.hidden
        hidden_sums  1, v2, v3, v0, v1, v6, v7
        LRSET   cols, p7
        LRSET   key, p12
        LRGEN   p1
        hidden_store 0, v4, v5
        hidden_store 1, v6, v7

        LA      p3, activations
        LA      p4, outputs_plus
        LA      p5, outputs_plus + OUTPUTS - 2 * CLASSES
        LOADV   v0, (p3)
        LOADV   v1, HIDDEN(p3)
        output_sums  0, v0, v1, v2, v3, v4, v5
evaluate.output:
        output_sums  1, v2, v3, v0, v1, v6, v7
        output_store 0, v4, v5
        ADDI    p3, p3, 2 * 2 * HIDDEN
        output_sums  0, v0, v1, v2, v3, v4, v5
        output_store 1, v6, v7
        ADDI    p4, p4, 2 * CLASSES
        BLT     p4, p5, evaluate.output
        output_sums  1, v2, v3, v0, v1, v6, v7
        output_store 0, v4, v5
        output_store 1, v6, v7
        INC     p1
        LRSET   cols, p6
        LRSET   key, p11
        LRGEN   p1

        CALL    loss
        BLT     p1, p18, evaluate.pair
        DEC     p24
        BNZ     p24, evaluate.block
        MV      lr, p28
        RET

loss:
        ; Loss of all images of the block at once, plus and minus member in turns.
        SETVL   p13
        LA      p4, outputs_plus
        LA      p5, right
        LOADV   v6, (p5)
        LOADV   v0, -INPUTS(p4)
        LOADV   v1, OUTPUTS - INPUTS(p4)
        QUANT   v0, v0, OUTPUT_SHIFT + SIGMA_SHIFT, 4
        QUANT   v1, v1, OUTPUT_SHIFT + SIGMA_SHIFT, 4
        VADD    v0, v0, v6
        VADD    v1, v1, v6
        RELU    v0, v0
        RELU    v1, v1
        SETVL   p14
        MATVEC  v2, v0
        MATVEC  v3, v1
        LOADV   v0, (p4)
        LOADV   v1, OUTPUTS(p4)
        QUANT   v0, v0, OUTPUT_SHIFT + SIGMA_SHIFT, 4
        QUANT   v1, v1, OUTPUT_SHIFT + SIGMA_SHIFT, 4
        VADDS   v0, v0, p15
        VADDS   v1, v1, p15
        VSUB    v7, v7, v7
        VSUB    v0, v0, v2
        VSUB    v1, v1, v3
        RELU    v0, v0
        RELU    v1, v1
        POPEVAL f0, v0, v7
        POPEVAL f1, v1, v7
        FITGET  p16, f0
        LOAD    p17, fitness - 1(p1)
        SUB     p17, p17, p16
        STORE   p17, fitness - 1(p1)
        FITGET  p16, f1
        ADD     p3, p1, p18
        LOAD    p17, fitness - 1(p3)
        SUB     p17, p17, p16
        STORE   p17, fitness - 1(p3)
        RET

        .data
matrices:
        .word   INPUTS, HIDDEN, hidden, 0
        .word   HIDDEN, CLASSES, output, 0
matrices_end:
hidden:
        .space  INPUTS * HIDDEN
output:
        .space  HIDDEN * CLASSES
images:
        .space  BLOCK * (INPUTS + HIDDEN)
activations:
        .space  BLOCK * 2 * HIDDEN
outputs_plus:
        .space  OUTPUTS
outputs_minus:
        .space  OUTPUTS
right:
        .space  INPUTS + OUTPUTS
pixels:
        .space  IMAGES * INPUTS
classes:
        .space  IMAGES
