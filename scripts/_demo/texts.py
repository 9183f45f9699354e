"""What the demo says, in Chinese and English."""

import locale
import os

CHINESE = {
    "title": "算券:一张算力券从发布到审计",
    "start": "启动服务,部署合约",
    "publish": "发布项目「郑州高新区算力券」",
    "register": "登记 {count} 家主体(企业、高校、院所、供应商、平台)",
    "issue": "{count} 张算力券:申领 → 初审 → 复核 → 核发上链",
    "evidence": "平台签名提交 {count} 条交易存证",
    "anchored": "{count} 条存证已批量上链",
    "blacklist": "「{name}」被列入失信被执行人名单",
    "claims": "{count} 笔兑现申请,按交易发生时间先后顺序处理",
    "redeemed": "兑现 {count} 笔,共 {fen}",
    "refused": "拒绝 {count} 笔",
    "example": "手工核算一笔:{sum} × {rate}% = {expected};合约支付 {paid}",
    "write_off": "核销 {count} 笔,共 {fen}",
    "report": "项目总览",
    "bundle": "导出一笔兑现的证明包:{path}",
    "verified": "suanquan verify:链上核验通过({steps} 步)",
    "tampered": "改动证明包一个字节:被拒绝({reason})",
    "killed": "kill -9 后重启:状态一致",
    "audit": "仅凭链上 {events} 个事件审计:逐块核对规则与补贴,{rows} 行数据逐行一致",
    "done": "用时 {seconds:.1f} 秒。数据目录:{path}",
    "tier": "档次",
    "block": "区块",
    "face": "面额",
    "paid": "已兑现",
    "written": "已核销",
    "left": "预算余额",
    "code": "拒绝原因",
    "count": "张数",
    "claims_count": "笔数",
    "total": "合计",
}
ENGLISH = {
    "title": "Suanquan: a compute voucher from publication to audit",
    "start": "Start the service, deploy the contracts",
    "publish": 'Publish the programme "Zhengzhou High-tech Zone compute vouchers"',
    "register": "Register {count} organisations (enterprises, universities, institutes, suppliers, a platform)",
    "issue": "{count} vouchers: application → first review → second review → issued on chain",
    "evidence": "The platform posts {count} signed trade records",
    "anchored": "{count} records anchored in batches",
    "blacklist": '"{name}" is put on the list of dishonest judgment debtors',
    "claims": "{count} claims, taken in order of trade time",
    "redeemed": "{count} redeemed, {fen} in all",
    "refused": "{count} refused",
    "example": "One worked by hand: {sum} × {rate}% = {expected}; the contract paid {paid}",
    "write_off": "{count} written off, {fen} in all",
    "report": "Overview",
    "bundle": "Proof bundle of one redemption: {path}",
    "verified": "suanquan verify: holds against the chain ({steps} steps)",
    "tampered": "One byte of the bundle changed: refused ({reason})",
    "killed": "kill -9 and restart: the state is the same",
    "audit": "Audited from {events} chain events alone: every rule and subsidy holds, {rows} rows equal one by one",
    "done": "{seconds:.1f} seconds. Data folder: {path}",
    "tier": "Tier",
    "block": "block",
    "face": "Face",
    "paid": "Redeemed",
    "written": "Written off",
    "left": "Budget left",
    "code": "Refused because",
    "count": "Vouchers",
    "claims_count": "Claims",
    "total": "Total",
}


def texts(language: str | None) -> dict[str, str]:
    """The texts of a language, `zh` or `en`; of the locale if none is named."""
    if language is None:
        named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
        language = "zh" if (named or locale.getlocale()[0] or "").startswith("zh") else "en"
    return CHINESE if language == "zh" else ENGLISH
