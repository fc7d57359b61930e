"""One picture of 34 x 40 pixels as each transfer syntax has it, so that no encoder is needed.

Written by OpenJPEG 2.5 (JPEG 2000), OpenJPH (HTJ2K), CharLS (JPEG-LS) and dcmtk 3.6.7 (JPEG).
"""

from base64 import b85decode
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

_Y, _X = np.mgrid[:34, :40]
PICTURE: NDArray = 2 * _Y**2 + 40 * _X
"""What they all show, in 12 bits; in 8 it is a 16th, with a sign 1900 less."""

JPEG = "1.2.840.10008.1.2.4."
LOSSLESS = ("57", "70", "80", "90", "201")
LOSSY = {"50": 2, "51": 3, "81": 3, "91": 30, "203": 30}
"""Ends of the UIDs, and by how much a pixel may be off."""

_TEXTS = {
    "90": (
        "|4;u>04V?f0000e0000Y00000000000000e0000Y0000000000009dD0sm3}3;+NC0RROA1ONg5TmTb5U}$J?XlQ"
        "U~XmDs~aA;_7|6~9q00BdCWnpw>WFTUBAWv{*Zc0!^M<8}(a&u{KZXhx)H7+v$kN^q*00000j{pJxli%PV2dh{6U"
        "nz_)z#lj$e!yS}4+%Fnz#lj`AAl$jF+T{6>QW=X`~jdJP%tMx^dtB`5l~JT7RSJSp)d!|FhJutKmigmf6qvyswKw"
        "|MpKrAgulQ(ptv7^&~z=}iv-}L0|^O#zn}s9dd)~s411UW001x=*MS!?F-5!Tx$pnk"
    ),
    "80": (
        "|JeWc01FHNA^<1>0TBTI+5iXv0RR910F%?x(^Aq=)6-JYQPEJ)fBpC8zg~QI?boL|RA^BDci#Kwn2{kt1R)4SL_|"
        "bMB$7!al1i#1z=R<PLJ))|W<*3pL_|bHL_|c%DO7<1F^ppvgdqq*5QHHJ%*@Qp%*cp{m~bG12q1<rjAIzaF$h8sg"
        "d;OEGcz+YHs55$gYP=yZ8E~^In8TW#xZMJ*0rrlQk11LBN)XgN>Y@hAqYYcgdqs-?(XjH?##^8#xaayl%*+3Qj~-"
        "t2tp8qcXxMpcXxLNF^ppv#wkitl%*jELJ))_ySux)yStk?%wrhFF-lUDr6CAH5QHHJ?(XjH?(TTzF^pprr722Ml!"
        "PG&LJ))@9o^mC-P}avAqYYcgd@ATnVFfHnUN6@5fKp(kRoli+ikYnZMNHOw%chWA^<5Qs;a80s;a81kN^Mx2CDym"
        "|9|g*000042>*ZofB$a)000043cvq<|9}5~|9}5(fB*m&|9}5~|9}5~|9!v!001Qf<iw<eWJDwn-#vKk)0Yj~HE2"
        "wc5(FQ8=bd%O9BsDB1x+;5OtQ-?FvAQmy6djG>#nlPEV9cg*0rr`7*0)N7{)P-V%D{-Yg*Q|t!q-0r722Ml+47%2"
        "4-bdRaI40RaI40RaI40RaI3&QkqF5l1U_zNhFd<B$BF<6_r(0RaI42|7goE|9}5~^hL-2fB%2_68ryu|9|}fiT{8"
        "9fB$^S|9}5~|9ohF|9}5~`fGpxfB%2@Zh!xO|9|#zfB%2~fAn;J|9}5~^8eWY"
    ),
    "57": (
        "|JeWF01!$>Nk#wx0RR9200961|HA+a5C9?oC;<Tx0RO}Q8~_0U0RRI50RaF200000000IB1OfvG0SFNP+5iXv0RR"
        "R70RB*+LWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xa{Kr1-@ktS`}gnPzkdDu_wV1oe*OFR@87?E{rmUt-"
        "@ktMbLY>WK79G}=g*%$eEIX|&!0Yg`Sa(`pFVu~^XJc>K793d_V)Jn_V)Jn_V)Jn_V)Jn_V)Jn_V)Jn_V)Jn_V)J"
        "n_V)Jn_V(`Y@9*#L@9*#L@9*#L@9*#L@9*#L@9*#L@9*#L@9*#L@9*#L@9(9jPMtb*>C>l9ojP>s)2B|II&|sNr%"
        "s(Zbm`NlPMtb*>8-C`y?XWQ*RNi^diCqquU@@+_3PKKUcGwt>({Sdy?XWQwYP5FyLRo{w{G3LcJ14@Zr!_f?c29*"
        "-Me<}+qZ7ryLRopzkdDu_wV1oe*OFR@87?E{rmUt-@ktS`}gnPzkdDu_wPkUjT$s)(W6F<8Z>CpqehJyG-%PIMvW"
        "RYXwjoajT$s)(M?XBI&|sNr%s(Zbm`NlPMtb*>C>l9ojP>s)2B|II&|sNRaUK9wQAL?R;^mKYSpV&ty;Be)vH#mT"
        "D5A`t5&UAwQAK}UcGwt>({Sdy?XWQ*RNi^diCqquU@@+_3PKKUcGwt>(^yw&6_rC*|TQNn>K9Ovu4ekHf-6mX3d*"
        "6Y}vDB&6_rC*==s!yLRo{w{G3LcJ14@Zr!_f?c29*-Me<}+qZ7ryLRo{b$0FBw{G3LcJ14@Zr!_f?c29*-Me<}+q"
        "Z7ryLRo{w{G2ie*OFR@87?E{rmUt-@ktS`}gnPzkdDu_wV1oe*OFR@89$!C{Uq7g$fiXP@zJF3KS?%p+bcU6ev)k"
        "LWK$xC{Uq7g%6`6MvWRYXwjoajT$s)(W6F<8Z>CpqehJyG-%PIMvWRYX#FWFRH;&>N|h>9sZym%l`2%JQl(0jDpa"
        "XbrAn15RH;&>OX<ner%s(Zbm`NlPMtb*>C>l9ojP>s)2B|II&|sNr%s(Ze^OGVN|h>9sZym%l`2%JQl(0jDpaXbr"
        "An15RH;&>N|h>9`m(iZ)vH#mTD5A`t5&UAwQAL?R;^mKYSpV&ty;Be)vH#o)|RbWwQAL?R;^mKYSpV&ty;Be)vH#"
        "mTD5A`t5&UAwQAMAyuEt$>({Sdy?XWQ*RNi^diCqquU@@+_3PKKUcGwt>({ULCM;O7V#SLVELgE(#fug!Sg~Toix"
        "w<cv0}xG7A#n?V#SZMGiJ@3Hf-6mX3d*6Y}vDB&6_rC*|TQNn>K9Ovu4ekHf;T=t5&UAwQAL?R;^mKYSpV&ty;Be"
        ")vH#mTD5A`t5&UAwQKFo+qZ7ryLRo{w{G3LcJ14@Zr!_f?c29*-Me<}+qZ7ryMJ<W<;#~YT)A@P%a<-(xpL*pmo8"
        "kna^=gHE?l{C<;#~YT>G=PZr!_f?c29*-Me<}+qZ7ryLRo{w{G3LcJ14@Zr!_f@7|uhdiCqquU@@+_3PKKUcGwt>"
        "({Sdy?XWQ*RNi^diCqqzWn|B_wV1oe*OFR@87?E{rmUt-@ktS`}gnPzkdDu_wV1o{RQYggXlhk=stt!K7;5!gXlh"
        "k=stt!K7;5!gXlhk=stt!K7;5!gXlhk=stt!K7;5!gXlhk=stt!KmY&P"
    ),
    "70": (
        "|JeWF01!$>Nk#wx0RR9200961|HA+a5C9?oC;<Tx0RO}Q8vp?T0RRF60000000000000ID1p)*E2oV3;00;pA009"
        "61`9g&X6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev;2LWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC"
        "{gB6p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6n2y-P@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJ"
        "F9pwrXC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{UqBl7$KsC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{"
        "UwWLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{eVbLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$x"
        "DBe(^LWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xB2b}1g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$f"
        "iVP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS|(p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6"
        "fRJqLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xGEkvHg$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fi"
        "lP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KTj}p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6h"
        "2U)LWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xP?RW8p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bce"
        "WeOB1P@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zRBLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{a"
        "#Op+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6jYQbP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF6"
        "=ez(C{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{UqAX+nhx6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev+"
        "%P@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KUqBC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g%"
        ")KB6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kMX5rC3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?&"
        "Zcw2@g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fj0lqgW4LWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWL"
        "J)3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXP@zJF3KS?%p+)IJg$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fiXQ"
        "GQUNLWK$xC{Uq7g$fiXP@zJF3KS?%p+bcU6ev)kLWK$xdjz3Eg$fiXP@zJF3KS?%p+bcU6ev)kLWK$xC{Uq7g$fi"
        "X|Je"
    ),
    "50": (
        "|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70|EjA0|NsD0|NvF2n7WM1O*BQ2L=cX3JeSj3JVJj4iXRz4iOFu3lJ"
        "6%5fc;@6%`B*7Z?^47!ni}6#u{g3kU!r04M<g5di<h02crO0RaI30000000000000062M7uO!~h-;009F80{{R30"
        "000000000A^-vf0|p_X1S66E+5iXv0RR9$0OmAD9m9myBaY$1Z4t+C;WdckxNw@paojjrN+K1)DXc^*gi~mUR|ux"
        "D5UvqTVj)~2v+PBt;SDCS7Mp}Ln#5Xe5YlZCX}Cj4tVO2b4JkZDfZ^-XYY|{Ldi0w_SPmY&Cb1R+hp$PjMS$V!(u"
        "zb;r+{yXv_%?t2Kbu9QKx`!iL6B$cn0{JL{X=JZ;Sug"
    ),
    "51": (
        "|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70|EjA0|NsD0|NvF2n7WM1O*BQ2L=cX3JeSj3JVJj4iXRz4iOFu3lJ"
        "6%5fc;@6%`B*7Z?^47!ni}6#u~h3k(1v04M<g5di<h02crO0RaI300000000000000A3k(ha!~iA`000C81P1^B0"
        "00000000000|{R0RsgF3MNF+2M8o5Lq*d6+5iXv0RR9$0OmdvmoN2%Zkl5o5Y>uHm-@mtO)-s#YNaL1{b3uXn8w6"
        "4Qj+EVu#MA9V`3VyNpk-HSVrllF|ip+N=TP02*^_z;)rU+BukZqWGRgCL^V>9CCb7w6vlX>8mUPV<zX2LV?0p}Sf"
        "q(^u#AN<o+ym^g(ZaIu#J;uGff?XRVged6@+Y?F`8)X8nH=XIIJUN*^JXiVAV=X3B_R>Cd_7<I|iy!SWYVl**0S|"
        "(b!4+q_7Is5xa9SnkeiVu}NSRtRr^jV>D6NHByqmD_BPD%*JS=uxh0xfL5@L+nJ2fM_|>8O8~858@DqVqK?8UB_+"
        "aJ85<^B%=L0U163(564=PuGTvvak?<O+NpP0NM#+}*JzS4~)rw1mwlX$Mx0&kXd<LpgTqUuQvSqx_S0mtm|Je"
    ),
    "81": (
        "|JeWc01FHNA^<1>0TBTI+5iXv0RRI40JoLxD@t~ir722%KmUK<-QC;Uy}$e+P?D)d|9}5*tqM_9N1xCCc~Ww7CQl"
        "@vCpr3}Ns?zdC(N9j{TPx@B$*~jCV!quL^4Sv$t2Irl1$|ECK1Gvjy!vip=LsfjyU3)amFZ{CfjYc*(j)}DI}t!5"
        "Q!v7B$7!aq>@QeN>WK6l1U_zNl7G?DoW&^VUsduW_+3Ee9cCA&pGGk^YsVw|9}5~P=Eh_|9{XQe}8{}et<sy{{H^"
        "`02}-J`}_M)2Y-Kme}7Z}U*F%~-`xNQt?J$HSKr+L0aZ$)qeg^iLJ`RBz3$I33?fk|iIFlU$&+N;ZP_;4Z8fypZ8"
        "p;>NlH?brAkv8l`54gl`B6#olPIl=l_5GPJjP@|9`RX|9}5~^*#T8|9}3czyE*#f7C<&fB%2|1V8_O|9{X!|9}5~"
        "{Y1b2fB%2f|Je"
    ),
    "201": (
        "|4;u>04YEK0000e0000Y00000000000000e0000Y0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0sm"
        "Y86Cj9?kdTm&kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00001n*ag-lfVEg0LKEc@`3nk="
        "mNtu0KfnfKmZefZTkQVbN~;0-~ggD0Kfnh5C8>et+fCGFamY}{}=vU{9pV4Ap?H40Kfnh&;SLpY}we@vi;ZtAJ^f"
        "FcmV%@|9}5~|9|&?|9Ag>-vG0qV}KtdF}eW202Y)00e7G>nM@{=$z-zc@IpFzdT|1J0RMmgfB%2~fB%2~fB%2~fB"
        "%2~fB%2~fB$>ld+)vX-h1!8_ul&f0VD(xKx6g#_4>>8`t|zDp|cw?w*kNaEyw@`^&pPpIF92uj^j9v<2cUze}E!7"
        "dU|?#dU|kze*ph~|9}5~|9}5~|9}5~|9}5~|9}5~|9}5~|9}5~|9}5~|9}5~|9}5~|9`(g0Re#m0tEyL2ow+~AW%"
        "S{fItC(cm^;%^kW0xMle0}V*}qtFg?%Luh*~Fuh*~EU)QhKuh*~Fuhw7Juh*~Fuh*~EU)QhKuh*~Fuhw7Juh*~Fu"
        "h*~EU)QhKuh*~Fuhw7Juh*~Fuh*~EUoo>AF|!*nvIhUz"
    ),
    "91": (
        "|4;u>04V?f0000e0000Y00000000000000e0000Y0000000000009dD0sm3}4*>!I0RRF71ONbth=~7O01-leQg8"
        ")u1#m}q(|6N%V*g|SB>(|Ka%Ew3Wn>^?c_2@4Wo}APMMofZWpZ<AZ*CwmE;TMR|BwI*000000D}Ml|C7(XKoI{=x"
        "1aCop7?NDHH6kJQiPKuqo3Fl&#eVK{gpJpj~ma8LewwAg=H?MFa@y#``v&6!*tW(1lh7J5{oQr8v`J)hDB%F9Eb5"
        "Xf-Y#}ZNPj%pg2H4<2a2a>PV!dlE54+1H*uHE#Qi)zn|h)guyuf*#"
    ),
    "203": (
        "|4;u>04YEK0000e0000Y00000000000000e0000Y0000000000009pH0sl|{2mk^A001WcQUDA90ssL31q1{@0RL"
        "P7BO;VtlsA+&loE_dj7f|!gouQQgq(dLeIb2~boO-ibeaET02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00000<"
        "^TczlfVEKpudnt?koT_&CCM<v;e>W6F>kHfZ6N-i*x`@H~j#DGyuQ=Dxd%rfH)q<xcCE@LbU*uWJR))`~Uz0ezpL"
        ">09w!h72wQ2$C00h<9O}>L1dBtf6DwL-dlYD;~)O<$3Ohw0Db@gP1pdy0JdNNS^%0M;tUaIh&V%J&~JmA{!0Ez{!"
        "0H9%YFd0s;a80{{DkK@_YBm?79HJ0cb!0bYK7g{``N8boBJ}^z`)deE|P|-)*<s?RLA}ZvT2AC%%$<=_kIDd+8^+"
        "y6djG>#n+(0sq+"
    ),
    "signed": (
        "|4;u>04V?f0000e0000Y00000000000000e0000Y000000000000D~u0sm3}3;+NC0RROA1ONg5TmTb5U}$J?XlQ"
        "U~XmDs~aA;_7|6~9q00BdCWnpw>WFTUBAWv{*Zc0!^M<8}(a&u{KZXhx)H7+v$kN^q*00000j{pJxli%PV2e<1vm"
        "yqc{z#lj$e!yS}4+%Fnz#lj`AAl$jF+T{6>QW=X`~jdJP%tMx^dtB`5l~JT7RSJSp)d!|FhJutKmigmf6qvyswKw"
        "|MpKrAgulQ(ptv7^&~z=}iv-}L0|^O#zn}s9dd)~s411UW001x=*MS!?F-5!Tx$pnk"
    ),
}

STREAMS = {name: b85decode(text) for name, text in _TEXTS.items()}
"""The compressed picture by the end of the UID; "signed" is JPEG 2000 (90)."""


def compressed(header: Dataset, frames: Iterable[bytes], end: str) -> Dataset:
    """The header with these frames as its pixels, in the transfer syntax with this end."""
    header.PixelData = encapsulate(list(frames))
    header["PixelData"].VR, header["PixelData"].is_undefined_length = "OB", True
    header.file_meta.TransferSyntaxUID = UID(JPEG + end)
    return header


def slice_of(header: Dataset, end: str, stream: bytes | None = None) -> Dataset:
    """A slice that shows the picture, compressed."""
    bits = 8 if end == "50" else 16
    stored = {"50": 8, "201": 16, "203": 16}.get(end, 12)
    header.Rows, header.Columns = PICTURE.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = bits, stored, stored - 1
    return compressed(header, [STREAMS[end] if stream is None else stream], end)


def shown(end: str) -> NDArray:
    """The picture in the bits of a transfer syntax."""
    return PICTURE // 16 if end == "50" else PICTURE
