#include "textflag.h"

// func prefetch(p *byte)
//
// PREFETCHW m8 is 0F 0D /1; the assembler does not know it.
TEXT ·prefetch(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	BYTE $0x0f; BYTE $0x0d; BYTE $0x88; BYTE $0x80; BYTE $0x01; BYTE $0x00; BYTE $0x00 // PREFETCHW 384(AX)
	BYTE $0x0f; BYTE $0x0d; BYTE $0x88; BYTE $0xc0; BYTE $0x01; BYTE $0x00; BYTE $0x00 // PREFETCHW 448(AX)
	RET
