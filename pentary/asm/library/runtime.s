; Runtime: console, input, exit status, checks, copies and measured regions for programs that include it.
;
;     .include "runtime.s"
;     start:  print   "the answer is "
;             li      p1, 42
;             call    print_number
;             newline
;             exit    0
;
; Subroutines take their operands in p1, p2 and p3. They and the macros change p1 .. p9, the flags and lr; `copy` also
; changes v7 and VL. All others stay, and the stack pointer that the machine starts with is good. Labels in
; macros are numeric, 991 and 992, so that they leave no symbols.

        .equ    CONSOLE, -1000          ; a store writes a character
        .equ    INPUT, -1001            ; a load reads the next one; a fault if there is none
        .equ    AVAILABLE, -1002        ; a load tells how many there are
        .equ    EXIT, -1003             ; a store sets the exit status of the program

        .macro  putc character          ; write a character that is in a register
        store   \character, CONSOLE(zero)
        .endm

        .macro  getc character          ; read a character into a register, -1 at the end of the input
        load    \character, AVAILABLE(zero)
        bz      \character, 991f
        load    \character, INPUT(zero)
        jump    992f
991:    li      \character, -1
992:
        .endm

        .macro  print text              ; write a text
        .data
991:    .string \text
        .text
        la      p1, 991b
        call    print_string
        .endm

        .macro  newline
        li      p1, '\n'
        putc    p1
        .endm

        .macro  exit status             ; end the program; 0 stands for success, 1 .. 255 for failures
        .assert (0 <= \status) * (\status <= 255), "an exit status is 0 to 255"
        li      p1, \status
        store   p1, EXIT(zero)
        halt
        .endm

        .macro  assert_equal a, b       ; end with status 1, and say where, unless two registers are equal
        beq     \a, \b, 991f
        call    assertion_failed
991:
        .endm

; A region measures the cycles between its marks, in which all units complete what they have begun, less those of the
; marks themselves: an empty region takes none once it is in the caches. It may be entered again and again; cycles and
; runs add up.

        .equ    REGION_OVERHEAD, 4

        .macro  region name             ; make a region
        .data
\name:  .word   0, 0, 0                 ; when it was entered; cycles in it; how often it was left
        .text
        .endm

        .macro  region_begin name
        la      p8, \name
        sync
        csrr    p9, CYCLE
        store   p9, (p8)
        .endm

        .macro  region_end name
        la      p8, \name
        sync
        csrr    p9, CYCLE
        load    p7, (p8)
        sub     p9, p9, p7
        addi    p9, p9, -REGION_OVERHEAD
        load    p7, 1(p8)
        add     p7, p7, p9
        store   p7, 1(p8)
        load    p7, 2(p8)
        inc     p7
        store   p7, 2(p8)
        .endm

        .macro  region_print name, text ; write what a region has measured
        print   \text
        print   ": "
        la      p1, \name
        load    p1, 1(p1)
        call    print_number
        print   " cycles in "
        la      p1, \name
        load    p1, 2(p1)
        call    print_number
        print   " runs\n"
        .endm

        .macro  report_traps            ; from here on, a fault ends the program with a message and status 1
        la      p1, trap_handler
        csrw    HANDLER, p1
        .endm

        .macro  handler_begin           ; begin a trap handler that may use p1 .. p9, and call the subroutines here
        push    lr
        push    p1
        push    p2
        push    p3
        push    p4
        push    p5
        push    p6
        push    p7
        push    p8
        push    p9
        .endm

        .macro  handler_end             ; restore them, and go back to where the trap was taken
        pop     p9
        pop     p8
        pop     p7
        pop     p6
        pop     p5
        pop     p4
        pop     p3
        pop     p2
        pop     p1
        pop     lr
        tret
        .endm

        jump    runtime_end

; Write the characters from address p1 up to a word of 0.
print_string:
        load    p2, (p1)
        bz      p2, 1f
        putc    p2
        inc     p1
        jump    print_string
1:      ret

; Write p1 as a decimal number: its digits are pushed from the last to the first, and popped.
print_number:
        bge     p1, zero, 1f
        li      p2, '-'
        putc    p2
        neg     p1, p1
1:      li      p2, 10
        li      p4, 0
2:      rem     p3, p1, p2
        addi    p3, p3, '0'
        push    p3
        inc     p4
        div     p1, p1, p2
        bnz     p1, 2b
3:      pop     p3
        putc    p3
        dec     p4
        bnz     p4, 3b
        ret

; Write p1 in 16 pents, the most significant first: each is what rounding to its place gives, and is then taken away.
print_pents:
        li      p2, 15
        la      p5, pents + 2
1:      shr     p3, p1, p2
        shl     p4, p3, p2
        sub     p1, p1, p4
        add     p3, p3, p5
        load    p3, (p3)
        putc    p3
        dec     p2
        bge     p2, zero, 1b
        ret

; Copy p3 words to address p1 from address p2; they may overlap if they move down.
copy:
        li      p4, 256
1:      ble     p3, zero, 2f
        min     p5, p3, p4
        setvl   p5
        loadv   v7, (p2)
        storev  v7, (p1)
        add     p1, p1, p5
        add     p2, p2, p5
        sub     p3, p3, p5
        jump    1b
2:      ret

; Say where an assertion has failed, and end.
assertion_failed:
        addi    p10, lr, -1
        print   "assertion failed at address "
        mv      p1, p10
        call    print_number
        newline
        exit    1

; Say which trap it was, and end.
trap_handler:
        csrr    p1, CAUSE
        la      p2, causes
        add     p1, p1, p2
        load    p1, (p1)
        call    print_string
        print   " at "
        csrr    p1, EPC
        call    print_number
        print   ", address or operand "
        csrr    p1, FAULT
        call    print_number
        newline
        exit    1

        .data
        .word   1f, 2f
causes: .word   0, 3f, 4f, 5f, 6f, 7f, 8f, 9f
1:      .string "external interrupt"
2:      .string "timer interrupt"
3:      .string "illegal instruction"
4:      .string "fetch fault"
5:      .string "memory fault"
6:      .string "overflow fault"
7:      .string "divide fault"
8:      .string "operand fault"
9:      .string "bus fault"
pents:  .ascii  "⊖-0+⊕"
        .text
runtime_end:
