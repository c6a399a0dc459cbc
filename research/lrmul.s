; All rows of a 64x64 perturbation of rank 8, as fast as the processor can order them.

        .param  ROWS, 64
        .param  COLS, 64
        .param  RANK, 8

        LI      p1, ROWS
        LRSET   rows, p1
        LI      p2, COLS
        LRSET   cols, p2
        LI      p3, RANK
        LRSET   rank, p3
        LRGEN   zero
row:
        LRMUL   p4
        INC     p4
        BLT     p4, p1, row
        HALT
