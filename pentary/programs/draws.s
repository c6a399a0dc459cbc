; What programs that train draw and go through, whatever their strategy: keys, initial latent words, the pairs that count.
;
; Constants: SEED LATENT STARTS, and the places MATRIX_ROWS .. MATRIX_START in a line of `matrices`, see es.s.

; ---------------------------------------------------------------------------------------------------------------------
; draw_keys: the key of each matrix in step p20, prng(SEED, step * 5^6 + number of the matrix).
;
;     p1 seed   p2 counter   p3 line of the matrix   p4 end of the lines   p5 key
; ---------------------------------------------------------------------------------------------------------------------
draw_keys:
        LI      p1, SEED
        SHLI    p2, p20, 6
        LA      p3, matrices
        LA      p4, matrices_end
keys.matrix:
        PRNG    p5, p1, p2
        STORE   p5, MATRIX_KEY(p3)
        INC     p2
        ADDI    p3, p3, MATRIX_LINE
        BLT     p3, p4, keys.matrix
        RET

; ---------------------------------------------------------------------------------------------------------------------
; draw_latents: uniform latent words. The word in row i and column j is the low LATENT pents of prng(key, i * 5^8 + j):
; what remains when the pents above them, shifted out and back in, are subtracted.
;
;     p1 line of the matrix   p2 end of the lines   p3 rows to go   p4 columns   p5 where the next word goes   p6 key
;     p7 i * 5^8   p8 counter   p9 counter after the row   p10 word   p11 its high pents   p12 5^8
;     if STARTS is 1: p13 words of which the mean is taken   p14 those to go   p15 counter of the next   p16 their sum
; ---------------------------------------------------------------------------------------------------------------------
draw_latents:
        LA      p1, matrices
        LA      p2, matrices_end
        LI      p12, 5**8
latents.matrix:
        LOAD    p3, MATRIX_ROWS(p1)
        LOAD    p4, MATRIX_COLS(p1)
        LOAD    p5, MATRIX_WORDS(p1)
        LOAD    p6, MATRIX_KEY(p1)
        LI      p7, 0
latents.row:
        MV      p8, p7
        ADD     p9, p7, p4
latents.word:
        .if     STARTS
        LOAD    p13, MATRIX_START(p1)
        MV      p14, p13
        MV      p15, p8
        LI      p16, 0
        INC     p8
        BZ      p13, latents.mean
latents.part:
        PRNG    p10, p6, p15
        SHRI    p11, p10, LATENT
        SHLI    p11, p11, LATENT
        SUB     p10, p10, p11
        ADD     p16, p16, p10
        ADD     p15, p15, p4            ; the parts of a row follow each other
        DEC     p14
        BNZ     p14, latents.part
latents.mean:
        LI      p11, 5
        MV      p10, p16
        BLT     p13, p11, latents.store
        SHRI    p10, p16, 1
latents.store:
        .else
        PRNG    p10, p6, p8
        INC     p8
        SHRI    p11, p10, LATENT
        SHLI    p11, p11, LATENT
        SUB     p10, p10, p11
        .endif
        STORE   p10, (p5)
        INC     p5
        BLT     p8, p9, latents.word
        ADD     p7, p7, p12
        DEC     p3
        BNZ     p3, latents.row
        ADDI    p1, p1, MATRIX_LINE
        BLT     p1, p2, latents.matrix
        RET

; ---------------------------------------------------------------------------------------------------------------------
; next_pair: p9 = the next pair after p9 whose shaped fitness is not 0, which goes to p10; p13, PAIRS, if there is none.
; ---------------------------------------------------------------------------------------------------------------------
        .macro  next_pair
search\@:
        INC     p9
        BEQ     p9, p13, found\@
        LOAD    p10, fitness(p9)
        BZ      p10, search\@
found\@:
        .endm
