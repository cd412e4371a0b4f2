‚’/3XÃTh,jïNGüc‹†ñcm¶¶w^ .fAylŸÜzµ	=H×K;Æ4þX5&É|Ûy’ö¹b
