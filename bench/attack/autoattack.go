package attack

// autoAttackFamilies are the versions of AutoAttack (Croce & Hein 2020, section 6). The parts and their order are those of its code.
var autoAttackFamilies = []family{
	fixed("autoattack", "APGD-CE, APGD-T, FAB-T and Square, each on the points that are left (Croce & Hein 2020, section 6)",
		apgdCE, apgdT, fabT, squareAttack),
	fixed("autoattack-plus", "Auto-PGD on both losses and FAB from 5 starts each, Square, APGD-T and FAB-T (AutoAttack's version plus)",
		Part{"apgd-ce", []Stage{apgd{loss: "ce", restarts: plusStarts}.method()}},
		Part{"apgd-dlr", []Stage{apgd{loss: "dlr", restarts: plusStarts}.method()}},
		Part{"fab", []Stage{fab{restarts: plusStarts}.method()}},
		squareAttack, apgdT, fabT),
	fixed("autoattack-rand", "Auto-PGD on both losses with the mean of 20 gradients, for models that draw random numbers (AutoAttack's version rand)",
		apgdCErand, apgdDLRrand),
}

// plusStarts is the number of starts in the version plus.
const plusStarts = 5
