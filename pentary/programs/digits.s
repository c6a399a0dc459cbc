; Handwritten digits: train the integer network 64-64-10 of pentary/tasks/digits.py with factored perturbations.
;
;     h = clamp(round(x W / 5^2), 0, 62)      z = clamp(round(h V / 5), -312, 312)
;     loss of an image = sum over the wrong classes c of max(0, 12 + z[c] - z[right])^2
;
; A member has W +- S / 5^q in place of the visible weights W, where q is SIGMA_SHIFT and S = A B^T, with the factors A
; and B of the pair; so it computes clamp(round((5^q x W +- (x A) B^T) / 5^(q + 2))), and likewise with V. Its fitness
; is minus the loss on the 128 training images of the step. The steps go through the training images again and again.
;
; Before the run a host writes the training images to `pixels` and `classes`; without that all are black zeros.
;
; Memory, after the text: matrices, fitness and scratch (es.s), then
;     hidden, output              the latent words of W and V
;     images                      of each image in a block: 64 pixels, and the 64 words of 5^q x W, which members share
;     activations                 of each image in a block: h of the plus member, h of the minus member
;     outputs                     of each image in a block: 10 words of the plus member; then those of the minus member
;     right                       of each image in a block: 10 words, 312 for the right class, and -312 for all else
;     pixels, classes             the training images
;
; Crossbar: the visible weights of one matrix in the rows 0..63. In the rows 64..223 and the columns 0..159 there is a
; square of 10 x 10 ones for each image of a block: it adds up ten words and gives their sum to each of them.

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
        .equ    HIDDEN_WIDTH, 3         ; pents of an activation
        .equ    OUTPUT_SHIFT, 1
        .equ    OUTPUT_WIDTH, 4
        .equ    EXTREME, limit(OUTPUT_WIDTH)
        .equ    MARGIN, 12
        .equ    BATCH, 128
        .equ    BLOCK, 16               ; images
        .equ    IMAGE, INPUTS + HIDDEN  ; words of an image in `images`
        .equ    MEMBERS, 2 * HIDDEN     ; words of an image in `activations`
        .equ    OUTPUTS, BLOCK * CLASSES

        .equ    STARTS, 0
        .equ    NOISE, 0
        .equ    LARGEST, INPUTS * HIDDEN
        .equ    FITNESS_LIMIT, BATCH * CLASSES * (2 * EXTREME + MARGIN) ** 2

        .macro  perturb row
        LRMUL   \row
        .endm

        .data
matrices:
        .word   INPUTS, HIDDEN, hidden, 0
        .word   HIDDEN, CLASSES, output, 0
matrices_end:
        .include "es.s"
        .text

; ---------------------------------------------------------------------------------------------------------------------
; setup: write the squares of ones into the crossbar, and begin with the first training image.
;
;     p1 row   p2 its place on the square's diagonal   p3 end of the square   p4 end of all squares   p5 column   p6 1
;     p21 next training image   p22 its class   p23 end of the images; these three are kept
; ---------------------------------------------------------------------------------------------------------------------
setup:
        LA      p21, pixels
        LA      p22, classes
        LA      p23, pixels + IMAGES * INPUTS
        LI      p1, 256
        SETVL   p1
        LI      p1, INPUTS
        LI      p2, 0
        LI      p4, OUTPUTS
        LI      p6, 1
setup.square:
        ADDI    p3, p2, CLASSES
        VSUB    v0, v0, v0
        MV      p5, p2
setup.one:
        VSET    v0, p5, p6
        INC     p5
        BLT     p5, p3, setup.one
setup.row:
        LOADX   v0, p1
        INC     p1
        INC     p2
        BLT     p2, p3, setup.row
        BLT     p2, p4, setup.square
        RET

; ---------------------------------------------------------------------------------------------------------------------
; load_crossbar: write the visible weights of a matrix, the top pents of its latents, into the rows 0..63.
;
;     p1 latents of the row   p2 columns, which become VL   p3 row   p4 rows
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
; take_block: take the next images, with what all members share of them.
;
; The 16 images, two activations and two outputs of each, and `right` are 4,640 words: they stay in the data cache.
;
;     p1 EXTREME   p2 place of the image in a vector of outputs   p3 its place in `images`   p4 its class
;     p19 return address   v0 pixels   v1 product with W   v6 right
; ---------------------------------------------------------------------------------------------------------------------
take_block:
        MV      p19, lr
        LA      p1, hidden
        LI      p2, HIDDEN
        CALL    load_crossbar
        SETVL   p13
        VSUB    v6, v6, v6
        LI      p1, -EXTREME
        VADDS   v6, v6, p1
        NEG     p1, p1
        LI      p2, INPUTS
        LA      p3, images
take.image:
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
        ADDI    p3, p3, IMAGE
        INC     p22
        ADDI    p21, p21, INPUTS
        BLT     p21, p23, take.next
        LA      p21, pixels
        LA      p22, classes
take.next:
        BLT     p2, p13, take.image
        LA      p1, right
        STOREV  v6, (p1)
        LA      p1, output
        LI      p2, CLASSES
        CALL    load_crossbar
        MV      lr, p19
        RET

; ---------------------------------------------------------------------------------------------------------------------
; evaluate: the fitness of every member.
;
; Images are taken in blocks: every pair is evaluated on a block, in the cache, before the next block is taken, and the
; fitness is summed up in memory. The low-rank unit holds the factors of one matrix at a time: so for a pair, all images
; of the block go through the hidden layer, then all go through the output layer. Factors are ordered as soon as the
; low-rank unit has been given the last instruction that needs the ones before.
;
; Each unit takes its instructions in order, so one that waits holds up those behind it. Therefore an image's results
; are stored after the next image's inputs have been loaded and its sums begun, and two images in turns use two sets of
; vector registers. (The last image of a block loads inputs beyond the end that are not used.)
;
;     p1 pair   p2 image   p3 its activations   p4 its outputs   p5 end of the loop
;     p6, p7 VL of activations and outputs   p8, p9 1, -1   p10 5^q   p11, p12 keys of hidden and output
;     p13, p14 VL in `add_loss`   p15 EXTREME + MARGIN   p18 PAIRS   p24 blocks to go   p28 return address
; ---------------------------------------------------------------------------------------------------------------------
        .macro  hidden_sums number, x, shared, next_x, next_shared, plus, minus
        LOADV   \next_x, (\number + 1) * IMAGE(p2)
        LOADV   \next_shared, (\number + 1) * IMAGE + INPUTS(p2)
        LRMULX  \x
        LRACC   \plus, \shared, p8
        LRACC   \minus, \shared, p9
        .endm

        .macro  hidden_store number, plus, minus
        QUANT   \plus, \plus, HIDDEN_SHIFT + SIGMA_SHIFT, HIDDEN_WIDTH
        QUANT   \minus, \minus, HIDDEN_SHIFT + SIGMA_SHIFT, HIDDEN_WIDTH
        RELU    \plus, \plus
        RELU    \minus, \minus
        STOREV  \plus, \number * MEMBERS(p3)
        STOREV  \minus, \number * MEMBERS + HIDDEN(p3)
        .endm

        .macro  output_sums number, h_plus, h_minus, next_plus, next_minus, plus, minus
        SETVL   p6
        LOADV   \next_plus, (\number + 1) * MEMBERS(p3)
        LOADV   \next_minus, (\number + 1) * MEMBERS + HIDDEN(p3)
        SETVL   p7
        MATVEC  \plus, \h_plus
        MATVEC  \minus, \h_minus
        LRMULX  \h_plus
        VMULS   \plus, \plus, p10
        LRACC   \plus, \plus, p8
        LRMULX  \h_minus
        VMULS   \minus, \minus, p10
        LRACC   \minus, \minus, p9
        .endm

        .macro  output_store number, plus, minus        ; with VL as output_sums has left it
        STOREV  \plus, \number * CLASSES(p4)
        STOREV  \minus, \number * CLASSES + OUTPUTS(p4)
        .endm

        .macro  draw_factors columns, key               ; of pair p1; both matrices have 64 rows
        LRSET   cols, \columns
        LRSET   key, \key
        LRGEN   p1
        .endm

evaluate:
        MV      p28, lr
        LI      p1, BATCH * MARGIN ** 2                 ; the losses include MARGIN^2 for the right class of each image
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
        CALL    take_block
        LI      p1, 0
        draw_factors p6, p11
evaluate.pair:
        SETVL   p6
        LA      p2, images
        LA      p3, activations
        LA      p5, activations + (BLOCK - 2) * MEMBERS
        LOADV   v0, (p2)
        LOADV   v1, INPUTS(p2)
        hidden_sums  0, v0, v1, v2, v3, v4, v5
evaluate.hidden:
        hidden_sums  1, v2, v3, v0, v1, v6, v7
        hidden_store 0, v4, v5
        ADDI    p2, p2, 2 * IMAGE
        hidden_sums  0, v0, v1, v2, v3, v4, v5
        hidden_store 1, v6, v7
        ADDI    p3, p3, 2 * MEMBERS
        BLT     p3, p5, evaluate.hidden
        hidden_sums  1, v2, v3, v0, v1, v6, v7
        draw_factors p7, p12
        hidden_store 0, v4, v5
        hidden_store 1, v6, v7

        LA      p3, activations
        LA      p4, outputs
        LA      p5, outputs + OUTPUTS - 2 * CLASSES
        LOADV   v0, (p3)
        LOADV   v1, HIDDEN(p3)
        output_sums  0, v0, v1, v2, v3, v4, v5
evaluate.output:
        output_sums  1, v2, v3, v0, v1, v6, v7
        output_store 0, v4, v5
        ADDI    p3, p3, 2 * MEMBERS
        output_sums  0, v0, v1, v2, v3, v4, v5
        output_store 1, v6, v7
        ADDI    p4, p4, 2 * CLASSES
        BLT     p4, p5, evaluate.output
        output_sums  1, v2, v3, v0, v1, v6, v7
        output_store 0, v4, v5
        output_store 1, v6, v7
        INC     p1
        draw_factors p6, p11                            ; of the next pair; after the last one for nothing
        CALL    add_loss
        BLT     p1, p18, evaluate.pair
        DEC     p24
        BNZ     p24, evaluate.block
        MV      lr, p28
        RET

; ---------------------------------------------------------------------------------------------------------------------
; add_loss: take the loss of the block's images from the fitness of the members of pair p1 - 1.
;
; All images at once, 10 words for each. Of z + right, RELU leaves only z[right] + 312, for elsewhere it is z - 312. The
; squares of ones in the crossbar give this number to all words of the image, and z - (z[right] + 312) + 312 + 12 is
; what is cut at 0 and squared. The squares begin in row 64 of the crossbar, so the words are loaded with 64 others
; before them; in `right` those are -312, too, which makes them 0.
;
;     p2 right   p3 pair of the minus member   p4 outputs   p16 loss   p17 fitness
;     v0, v1 z of the plus and of the minus member   v2, v3 z[right] + 312   v6 right   v7 zeros   f0, f1 losses
; ---------------------------------------------------------------------------------------------------------------------
add_loss:
        SETVL   p13
        LA      p2, right
        LA      p4, outputs
        LOADV   v6, (p2)
        LOADV   v0, -INPUTS(p4)
        LOADV   v1, OUTPUTS - INPUTS(p4)
        QUANT   v0, v0, OUTPUT_SHIFT + SIGMA_SHIFT, OUTPUT_WIDTH
        QUANT   v1, v1, OUTPUT_SHIFT + SIGMA_SHIFT, OUTPUT_WIDTH
        VADD    v0, v0, v6
        VADD    v1, v1, v6
        RELU    v0, v0
        RELU    v1, v1
        SETVL   p14
        MATVEC  v2, v0
        MATVEC  v3, v1
        LOADV   v0, (p4)
        LOADV   v1, OUTPUTS(p4)
        QUANT   v0, v0, OUTPUT_SHIFT + SIGMA_SHIFT, OUTPUT_WIDTH
        QUANT   v1, v1, OUTPUT_SHIFT + SIGMA_SHIFT, OUTPUT_WIDTH
        VADDS   v0, v0, p15
        VADDS   v1, v1, p15
        VSUB    v7, v7, v7
        VSUB    v0, v0, v2
        VSUB    v1, v1, v3
        RELU    v0, v0
        RELU    v1, v1
        POPEVAL f0, v0, v7
        POPEVAL f1, v1, v7
        ADD     p3, p1, p18
        FITGET  p16, f0
        LOAD    p17, fitness - 1(p1)
        SUB     p17, p17, p16
        STORE   p17, fitness - 1(p1)
        FITGET  p16, f1
        LOAD    p17, fitness - 1(p3)
        SUB     p17, p17, p16
        STORE   p17, fitness - 1(p3)
        RET

        .data
hidden:
        .space  INPUTS * HIDDEN
output:
        .space  HIDDEN * CLASSES
images:
        .space  BLOCK * IMAGE
activations:
        .space  BLOCK * MEMBERS
outputs:
        .space  2 * OUTPUTS
right:
        .space  INPUTS + OUTPUTS
pixels:
        .space  IMAGES * INPUTS
classes:
        .space  IMAGES
