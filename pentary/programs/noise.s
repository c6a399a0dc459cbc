; Factors of a pair's perturbations in memory, for tensors that the low-rank unit cannot hold: more than 256 rows or
; columns, or operands that LRMULX would saturate. The words are those that LRGEN would draw, pent for pent; the vector
; unit does what the low-rank unit does for the others.
;
; Constants beside those of es.s:
;     QUANTIZED        1: rows of the perturbation are quantised, as PQUANT does
; In a line of `matrices`, MATRIX_FACTORS is where the tensor's factors are drawn to, 0 if the low-rank unit has them: a
; pent in a word. MATRIX_A and MATRIX_B are the addresses of the factors, RANK vectors each, and MATRIX_STRIDE_A and
; MATRIX_STRIDE_B the words from one vector to the next; MATRIX_FIRST is the number of the first block in the pair's noise
; that is drawn, MATRIX_BLOCKS how many are.

; ---------------------------------------------------------------------------------------------------------------------
; draw_noise: draw the noise of pair p1 under key p2, from block p3 on p4 blocks of 16 pents, into memory from p5 on.
;
; Block n is prng(key, pair * 5^8 + n). With q(i) its value without the low i pents, pent i is q(i) - 5 q(i + 1).
;
;     then p3 pents unpacked   p6 counter   p7 word's place, then pents to go   p14 words of this vector   p16 16
;     p17 5   p19 temporary   v0, v1 q(i) in turns   v2 pents
; ---------------------------------------------------------------------------------------------------------------------
        .equ    MATRIX_A, MATRIX_FACTORS + 1
        .equ    MATRIX_B, MATRIX_FACTORS + 2
        .equ    MATRIX_STRIDE_A, MATRIX_FACTORS + 3
        .equ    MATRIX_STRIDE_B, MATRIX_FACTORS + 4
        .equ    MATRIX_FIRST, MATRIX_FACTORS + 5
        .equ    MATRIX_BLOCKS, MATRIX_FACTORS + 6

        .macro  unpack from, to
        QUANT   \to, \from, 1, 16
        VMULS   v2, \to, p17
        VSUB    v2, \from, v2
        STOREVS v2, p3, p16
        INC     p3
        .endm

        .text
draw_noise:
        SHLI    p6, p1, 8
        ADD     p6, p6, p3
        LA      p7, drawn
        ADD     p14, p7, p4
noise.word:
        PRNG    p19, p2, p6
        STORE   p19, (p7)
        INC     p6
        INC     p7
        BLT     p7, p14, noise.word
        LI      p16, 16
        LI      p17, 5
        LA      p6, drawn
noise.vector:
        LI      p14, 256
        MIN     p14, p14, p4
        SETVL   p14
        LOADV   v0, (p6)
        MV      p3, p5
        ADDI    p7, p5, 16
noise.pents:
        unpack  v0, v1
        unpack  v1, v0
        BLT     p3, p7, noise.pents
        ADD     p6, p6, p14
        SUB     p4, p4, p14
        MULI    p14, p14, 16
        ADD     p5, p5, p14
        BNZ     p4, noise.vector
        RET

; ---------------------------------------------------------------------------------------------------------------------
; noise_row: v2 = VL elements of a row of A B^T; with QUANTIZED quantised.
;
;     p14 address of the row's element in the first vector of A   p15 of the first column's element in that of B
;     p11, p19 words from one vector to the next, of A and B   p16 element of A   p17 vectors to go   v3 vector of B
;     v4 minus the sums   v5 which sums reach a threshold   v7 zeros
; ---------------------------------------------------------------------------------------------------------------------
        .macro  reaching sums, threshold, change        ; v3 = v3 +- 1 where the sums reach the threshold
        LI      p16, 1 - (\threshold)
        VADDS   v5, \sums, p16
        RELU    v5, v5
        VCMP    v5, v5, v7
        \change    v3, v3, v5
        .endm

noise_row:
        VSUB    v2, v2, v2
        LI      p17, RANK
noise.term:
        LOAD    p16, (p14)
        LOADV   v3, (p15)
        ADD     p14, p14, p11
        ADD     p15, p15, p19
        VMULS   v3, v3, p16
        VADD    v2, v2, v3
        DEC     p17
        BNZ     p17, noise.term
        .if     QUANTIZED
        VSUB    v7, v7, v7
        VSUB    v3, v3, v3
        VSUB    v4, v7, v2
        reaching v2, isqrt(RANK // 4) + 1, VADD
        reaching v2, isqrt(9 * RANK // 4) + 1, VADD
        reaching v4, isqrt(RANK // 4) + 1, VSUB
        reaching v4, isqrt(9 * RANK // 4) + 1, VSUB
        VADD    v2, v3, v7
        .endif
        RET

; ---------------------------------------------------------------------------------------------------------------------
; update_noise: the part of `update` for the tensor in line p1 of `matrices`; keeps p1, p13 and p14.
;
;     p2 key   p3 columns   p6 sums of the tile   p7 its columns   p8 end of the sums   p9 next pair   p10 its pent
;     p12 pent of this pair   p24 row   p25 line   p26 column   p27 return address
;     in the end: p4 latent words   p26 columns to go of the row
; ---------------------------------------------------------------------------------------------------------------------
        .macro  tile_width columns      ; p7 = VL = columns to go, 256 at most
        LI      p7, 256
        MIN     p7, p7, \columns
        SETVL   p7
        .endm

update_noise:
        MV      p27, lr
        MV      p25, p1
        LOAD    p2, MATRIX_ROWS(p25)
        LOAD    p3, MATRIX_COLS(p25)
        MUL     p8, p2, p3
        LA      p6, scratch
        ADD     p8, p8, p6
        LI      p4, 256
        SETVL   p4
        VSUB    v0, v0, v0
noise.clear:
        SUB     p5, p8, p6
        tile_width p5
        STOREV  v0, (p6)
        ADD     p6, p6, p7
        BLT     p6, p8, noise.clear

        LI      p9, -1
        next_pair
        BEQ     p9, p13, noise.move     ; every pent is 0
noise.pair:
        MV      p1, p9
        MV      p12, p10
        next_pair
        LOAD    p2, MATRIX_KEY(p25)
        LOAD    p3, MATRIX_FIRST(p25)
        LOAD    p4, MATRIX_BLOCKS(p25)
        LOAD    p5, MATRIX_FACTORS(p25)
        CALL    draw_noise
        LA      p6, scratch
        LI      p24, 0
noise.row:
        LI      p26, 0
noise.tile:
        LOAD    p3, MATRIX_COLS(p25)
        SUB     p4, p3, p26
        tile_width p4
        LOAD    p14, MATRIX_A(p25)
        ADD     p14, p14, p24
        LOAD    p15, MATRIX_B(p25)
        ADD     p15, p15, p26
        LOAD    p11, MATRIX_STRIDE_A(p25)
        LOAD    p19, MATRIX_STRIDE_B(p25)
        CALL    noise_row
        LOADV   v0, (p6)
        VMULS   v2, v2, p12
        VADD    v0, v0, v2
        STOREV  v0, (p6)
        ADD     p6, p6, p7
        ADD     p26, p26, p7
        BLT     p26, p3, noise.tile
        INC     p24
        BLT     p6, p8, noise.row
        BLT     p9, p13, noise.pair

noise.move:
        LOAD    p4, MATRIX_WORDS(p25)
        LA      p6, scratch
noise.latents:
        LOAD    p26, MATRIX_COLS(p25)
noise.part:
        tile_width p26
        LRSET   cols, p7
        LOADV   v0, (p4)
        LOADV   v1, (p6)
        POPAVG  v2, v0, v1
        STOREV  v2, (p4)
        ADD     p4, p4, p7
        ADD     p6, p6, p7
        SUB     p26, p26, p7
        BNZ     p26, noise.part
        BLT     p6, p8, noise.latents
        MV      p1, p25
        LA      p14, matrices_end
        MV      lr, p27
        RET
